"""The guide's command for TensorBoard: its server finds what a run has trained."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.documents import DOCUMENTS

pytestmark = pytest.mark.exhaustive

TENSORBOARD = Path(sys.executable).parent / "tensorboard"


@pytest.fixture
def served(new_project, data_dir):
    """The address of TensorBoard over the runs of a project that has trained once."""
    project = new_project()
    more = ("--train.epochs", "6", "--train.validation-fraction", "0.2", "--evaluate.min-accuracy", "0.5")
    done = project.command("pipeline", "run", "--dataset", "tiny", "--data-dir", str(data_dir), *more)
    assert done.returncode == 0, done.stdout + done.stderr
    (shown,) = re.findall(r"^tensorboard .*$", DOCUMENTS["docs/guide.md"], flags=re.MULTILINE)
    _, *arguments = shlex.split(shown)
    server = subprocess.Popen(
        [sys.executable, str(TENSORBOARD), *arguments, "--port", "0", "--load_fast", "false"],
        cwd=project.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert server.stderr is not None
    address = next(found[0] for line in server.stderr if (found := re.search(r"http://\S+/", line)))
    yield address
    server.terminate()
    server.stderr.close()
    server.wait()


def test_server_shows_every_epoch_of_training_and_validation(served):
    name = "tensorboard/0001-tiny-mlp-128-128"
    wanted = {f"{name}/training": {"loss", "accuracy", "learning_rate"}, f"{name}/validation": {"loss", "accuracy"}}
    # It reads the folder in a thread of its own; it answers at once, and says what it has read so far.
    for _ in range(10_000):
        found = get(f"{served}data/plugin/scalars/tags")
        if {run: set(tags) for run, tags in found.items()} == wanted:
            break
    assert {run: set(tags) for run, tags in found.items()} == wanted
    for run, tag in ((f"{name}/training", "learning_rate"), (f"{name}/validation", "loss")):
        points = get(f"{served}data/plugin/scalars/scalars?run={run}&tag={tag}")
        assert [step for _, step, _ in points] == [1, 2, 3, 4, 5, 6]


def get(address):
    with urllib.request.urlopen(address) as answer:
        return json.load(answer)
