"""machine_failure: a step that a full disk stops says where, how much is needed, and what serves."""

from __future__ import annotations

import errno
import functools
import os
from pathlib import Path

import pytest

from pipeline.engine.execute import Execution, execute
from pipeline.engine.machine_failure import explain_failures
from serving.errors import BeamlineError, InputError
from serving.registry.registry import Registry
from tests.pipeline.toys import count
from tests.serving.tiny_bundle import publish, roll_back, seal

FULL = Path("/dev/full")


@pytest.fixture
def failed(toy, monkeypatch, tmp_path):
    """Runs a step that writes 5,000 bytes and then fails. Returns: the reason of the failure."""

    def run(fail):
        @functools.wraps(count.run)
        def stopped(params, context, out):
            (out / "written").write_bytes(bytes(5000))
            fail(out)

        monkeypatch.setattr(count, "run", stopped)
        places = {"--runs": toy.store.root, "--models": tmp_path / "models"}
        outcome = execute(toy.steps()[0], {}, toy.store, Execution(toy.context, places=places))
        assert (outcome.outcome, outcome.exit_code) == ("failed", 1)
        (reason,) = outcome.reasons
        assert "\n" not in reason
        assert not list((toy.store.root / ".staging").iterdir())
        return reason

    return run


@pytest.mark.skipif(not FULL.exists(), reason="the system has no device that is full")
def test_full_disk_is_one_sentence_with_the_folder_the_remedy_and_what_serves(failed, toy):
    def write(out):
        (out / "more").symlink_to(FULL)
        (out / "more").write_bytes(bytes(10))

    assert failed(write).startswith(f"the disk of --runs {toy.store.root} is full (No space left on device: at least ")
    assert failed(write).endswith("are free): free some space, or give another folder with --runs; nothing serves yet")


def test_version_that_serves_is_named(failed, tmp_path):
    publish(Registry(tmp_path / "models"), seal(tmp_path / "sealed"), "mnist", "0001")

    def read(out):
        raise OSError(errno.EIO, os.strerror(errno.EIO), str(out / "number"))

    reason = failed(read)
    assert reason.startswith(str(tmp_path))
    assert "cannot be read or written (Input/output error): check the disk" in reason
    assert reason.endswith("; version 1 of mnist serves as before")


def test_other_failures_are_unchanged(failed):
    def fail(out):
        raise ValueError("negative")

    assert failed(fail) == "ValueError: negative"


def test_sentence_of_ours_is_not_changed(tmp_path):
    with pytest.raises(InputError, match=r"^give another path$"), explain_failures({"--runs": tmp_path}, "mnist"):
        raise InputError("give another path") from OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("rolled_back", [True, False])
def test_version_that_serves_since_the_failure_is_named_as_new(tmp_path, rolled_back):
    registry = Registry(tmp_path / "models")
    publish(registry, seal(tmp_path / "1"), "tiny", "0001")
    publish(registry, seal(tmp_path / "2", seed=1), "tiny", "0002")
    now = "version 1 of tiny serves now, but models/tiny/history.jsonl: Input/output error: correct that; the next run"
    ended = pytest.raises(BeamlineError, match=f"^{now}" if rolled_back else "^version 3 of tiny serves now, but ")
    with ended, explain_failures({"--models": registry.root}, "tiny"):
        if rolled_back:
            roll_back(registry)
        else:
            publish(registry, seal(tmp_path / "3", seed=2), "tiny", "0003")
        raise OSError(errno.EIO, os.strerror(errno.EIO), "models/tiny/history.jsonl")
