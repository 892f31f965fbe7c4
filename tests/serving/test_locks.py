"""locks: one owner at a time; on a file system without locks the commands work, and say what is not safe."""

from __future__ import annotations

import errno
import fcntl
import os

import pytest

from pipeline.engine.store import Store
from serving import locks
from serving.locks import locked
from tests.serving.tiny_bundle import publish


@pytest.fixture
def messages(caplog, monkeypatch):
    monkeypatch.setattr(locks, "_warned", set())
    return lambda: [record.message for record in caplog.records if record.name == "beamline.locks"]


@pytest.fixture(params=sorted(locks.NO_LOCKS))
def no_locks(request, monkeypatch):
    """A file system whose flock fails, each time with another error."""

    def flock(descriptor, mode):
        raise OSError(request.param, os.strerror(request.param))

    monkeypatch.setattr(fcntl, "flock", flock)
    return os.strerror(request.param)


def test_second_owner_is_refused(tmp_path, messages):
    modes = (fcntl.LOCK_EX | fcntl.LOCK_NB, fcntl.LOCK_SH | fcntl.LOCK_NB)
    with locked(tmp_path):
        for mode in modes:
            with pytest.raises(BlockingIOError), locked(tmp_path, mode):
                pass
    with locked(tmp_path, fcntl.LOCK_SH), locked(tmp_path, modes[1]):
        pass
    assert messages() == []


def test_store_and_registry_work_without_locks_and_say_once_what_is_not_safe(
    tmp_path, registry, seal, no_locks, messages
):
    store = Store(tmp_path / "runs")
    with store.staging("count", "a" * 64) as out:
        (out / "number").write_text("3")
        store.commit("count", "a" * 64, {})
    with store.shared(), store.exclusive():
        assert store.by_key("count", "a" * 64) is not None
    assert publish(registry, seal(), "tiny").version == 1
    (message,) = messages()
    assert f"has no locks ({no_locks}): run one command at a time with it" in message
    assert str(tmp_path / "runs") in message


def test_scorer_works_without_locks(score, folder, no_locks, messages):
    code, _, error = score()
    assert (code, error) == (0, "")
    assert len((folder / "images.predictions.csv").read_text().splitlines()) == 51
    assert len(messages()) == 1


@pytest.mark.parametrize("other", [errno.EIO, errno.EBADF, errno.EINTR])
def test_other_errors_are_not_taken_for_missing_locks(tmp_path, monkeypatch, messages, other):
    def flock(descriptor, mode):
        raise OSError(other, os.strerror(other))

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(OSError, match=os.strerror(other)), locked(tmp_path):
        pass
    assert messages() == []
