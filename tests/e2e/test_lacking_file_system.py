"""A file system without locks, hard links, memory maps and flushed folders: every command works, and warns of locks."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest

from tests import lacking_file_system, tiny_set
from tests.e2e.conftest import tiny_run

PROGRAM = Path(lacking_file_system.__file__).read_text(encoding="utf-8")
ANSWERS = [errno.ENOTSUP, *(pytest.param(n, marks=pytest.mark.exhaustive) for n in (errno.EINVAL, errno.EPERM))]
ANSWERS += [pytest.param(errno.ENOSYS, marks=pytest.mark.exhaustive)]


@pytest.mark.parametrize("number", ANSWERS)
def test_run_score_promote_rollback_and_clean_work(new_project, data_dir, number):
    project = new_project()

    def lacking(*arguments):
        done = project.python("-c", PROGRAM, str(number), *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Traceback" not in done.stdout + done.stderr
        return done.stdout + done.stderr

    printed = lacking(*tiny_run(data_dir))
    assert printed.count("has no locks") == 1, printed
    assert f"has no locks ({os.strerror(number)}): run one command at a time with it" in printed
    assert project.last_run()["verdict"] == "promoted"
    assert len(project.pictures("0001")) == 5
    lacking(*tiny_run(data_dir), "--train.epochs", "6", "--promote.compare", "off", "--promote.max-drop-fraction", "1")
    np.save(project.folder / "images.npy", tiny_set.shapes(10, seed=5)[0])
    lacking("serving.batch_score", "images.npy")
    assert len((project.folder / "images.predictions.csv").read_text().splitlines()) == 11
    lacking("pipeline", "rollback", "tiny", "--reason", "slow at night")
    assert json.loads((project.folder / "models/tiny/promoted.json").read_text())["version"] == 1
    lacking("pipeline", "promote", "2", "--reason", "it was not slow")
    lacking("pipeline", "clean")
    again = project.command(*tiny_run(data_dir))
    assert again.returncode == 0, again.stdout + again.stderr
