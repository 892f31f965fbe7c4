"""store: an artifact is complete or absent, at every interruption."""

from __future__ import annotations

import errno
import itertools
import multiprocessing
import os

import pytest

from pipeline.engine import store as store_module
from pipeline.engine.store import Store
from tests.conftest import interrupted_at

KEY = "a" * 64


def commit(store: Store, key: str = KEY, content: str = "content") -> None:
    with store.staging("step", key) as out:
        (out / "sub").mkdir()
        (out / "sub" / "file").write_text(content)
        store.commit("step", key, {"params": {"value": 1}})


def test_committed_artifact_is_found_by_its_key_alone(tmp_path):
    store = Store(tmp_path)
    assert store.by_key("step", KEY) is None
    commit(store)
    stored = store.by_key("step", KEY)
    assert (stored.payload / "sub" / "file").read_text() == "content"
    assert stored.name == "step-aaaaaaaaaaaa"
    assert store.by_key("step", "b" * 64) is None
    assert store.by_key("other", KEY) is None


def test_keys_with_equal_prefixes_are_distinguished(tmp_path):
    store = Store(tmp_path)
    commit(store)
    assert store.by_key("step", "a" * 12 + "b" * 52) is None


def test_digest_is_of_content_and_names(tmp_path):
    digests = []
    for folder, content in (("one", "x"), ("two", "x"), ("three", "y")):
        store = Store(tmp_path / folder)
        commit(store, content=content)
        digests.append(store.by_key("step", KEY).sha256)
    assert digests[0] == digests[1] != digests[2]


def test_measurements_are_kept_and_do_not_change_the_digest(tmp_path):
    digests = []
    for folder, seconds in (("one", "0.1"), ("two", "0.2")):
        store = Store(tmp_path / folder)
        with store.staging("step", KEY) as out:
            (out / "file").write_text("content")
            (out / "measured.json").write_text(seconds)
            stored = store.commit("step", KEY, {})
        assert (stored.payload / "measured.json").read_text() == seconds
        (stored.payload / "measured.json").unlink()
        assert stored.damage() is None
        digests.append(stored.sha256)
    assert digests[0] == digests[1]


def test_file_of_that_name_in_a_folder_changes_the_digest(tmp_path):
    store = Store(tmp_path)
    with store.staging("step", KEY) as out:
        (out / "sub").mkdir()
        (out / "sub" / "measured.json").write_text("1")
        stored = store.commit("step", KEY, {})
    assert list(stored.files) == ["sub/measured.json"]


@pytest.mark.parametrize("moment", ["fsync_tree", "write_json"])
def test_crash_during_a_commit_leaves_no_artifact(tmp_path, monkeypatch, moment):
    def crash(*arguments):
        raise OSError("no space left")

    store = Store(tmp_path)
    monkeypatch.setattr(store_module, moment, crash)
    with pytest.raises(OSError, match="no space"):
        commit(store)
    assert store.by_key("step", KEY) is None
    assert not list((tmp_path / ".staging").iterdir())
    monkeypatch.undo()
    commit(store)
    assert store.by_key("step", KEY).damage() is None


def test_folder_without_record_is_not_an_artifact(tmp_path):
    store = Store(tmp_path)
    left = tmp_path / "artifacts" / "step-aaaaaaaaaaaa" / "payload"
    left.mkdir(parents=True)
    (left / "half").write_text("half")
    assert store.by_key("step", KEY) is None
    commit(store)
    assert not (left / "half").exists()
    assert store.by_key("step", KEY).damage() is None


def test_record_is_written_after_all_files_are_flushed(tmp_path, monkeypatch):
    order = []
    for name in ("fsync_tree", "write_json", "fsync_path"):
        real = getattr(store_module, name)
        monkeypatch.setattr(store_module, name, lambda *a, name=name, real=real: (order.append(name), real(*a)))
    real_replace = os.replace
    monkeypatch.setattr(os, "replace", lambda *a: (order.append("replace"), real_replace(*a)))
    commit(Store(tmp_path))
    assert order == ["fsync_tree", "write_json", "fsync_path", "replace", "fsync_path"]


def test_commit_does_not_remove_the_folder_of_the_next_process(tmp_path):
    """Another process takes the name as soon as the committed folder is moved away."""
    store = Store(tmp_path)
    with store.staging("step", KEY) as out:
        (out / "file").write_text("first")
        store.commit("step", KEY, {})
        with store.staging("step", KEY) as others:
            (others / "file").write_text("second")
    assert (store.by_key("step", KEY).payload / "file").read_text() == "first"
    outer = store.staging("step", KEY)
    with outer as out:
        (out / "file").write_text("third")
        store.commit("step", KEY, {})
        inner = store.staging("step", KEY)
        others = inner.__enter__()
        (others / "file").write_text("fourth")
    assert (others / "file").read_text() == "fourth"
    store.commit("step", KEY, {})
    inner.__exit__(None, None, None)


def test_folder_that_its_owner_removes_before_it_is_opened_is_made_again(tmp_path, monkeypatch):
    real, removed = os.open, []

    def remove_first(path, flags, *more, **named):
        if flags & os.O_DIRECTORY and not removed:
            removed.append(path)
            os.rmdir(path)
        return real(path, flags, *more, **named)

    monkeypatch.setattr(os, "open", remove_first)
    commit(Store(tmp_path))
    assert removed


def test_only_checkpoints_survive_an_interruption(tmp_path):
    store = Store(tmp_path)

    def interrupted() -> None:
        with store.staging("step", KEY) as out:
            (out / "checkpoints").mkdir()
            (out / "checkpoints" / "epoch").write_text("2")
            (out / "half").write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    with store.staging("step", KEY) as out:
        assert [file.name for file in out.rglob("*")] == ["checkpoints", "epoch"]
        (out / "whole").write_text("whole")
        stored = store.commit("step", KEY, {})
    assert list(stored.files) == ["whole"]
    assert not (stored.payload / "checkpoints").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda path: (path / "sub" / "file").write_text("contenT"), "sub/file was changed"),
        (lambda path: (path / "sub" / "file").unlink(), "sub/file is missing"),
        (lambda path: (path / "more").write_text(""), "more was added"),
    ],
)
def test_damage_is_named(tmp_path, change, message):
    store = Store(tmp_path)
    commit(store)
    stored = store.by_key("step", KEY)
    assert stored.damage() is None
    change(stored.payload)
    assert stored.damage() == message


def count_up(root: str) -> None:
    """Makes the artifact unless another process did, and counts who made it."""
    store = Store(root)
    with store.staging("step", KEY) as out:
        if store.by_key("step", KEY) is None:
            (out / "maker").write_text(str(os.getpid()))
            with open(f"{root}/made", "a") as file:
                file.write("x")
            store.commit("step", KEY, {})


def test_one_of_several_processes_makes_an_artifact_and_the_others_find_it(tmp_path):
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=count_up, args=(tmp_path,)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 4
    assert (tmp_path / "made").read_text() == "x"
    assert not list((tmp_path / ".staging").iterdir())


@pytest.mark.usefixtures("handled_signals")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_interrupted_commit_is_complete_or_absent(tmp_path):
    def make(store, content):
        with store.staging("step", KEY) as out:
            (out / "file").write_text(content)
            (out / "checkpoints").mkdir()
            (out / "checkpoints" / "epoch.npz").write_text("the work of a night")
            return interrupted_at(nth, lambda: store.commit("step", KEY, {}))

    for nth in itertools.count(1):
        store = Store(tmp_path / str(nth))
        interrupted = make(store, "content")
        staged = sorted(path.relative_to(store.root).name for path in store.root.glob(".staging/**/*"))
        if store.by_key("step", KEY) is None:
            assert staged == ["checkpoints", "epoch.npz", "payload", f"step-{KEY}"], nth
            assert not list(store.root.glob("artifacts/*")), nth
        else:
            assert store.by_key("step", KEY).damage() is None
            assert staged == [], nth
        if not interrupted:
            break
    assert nth > 20


def test_folder_that_cannot_be_read_is_not_a_missing_file(tmp_path, monkeypatch):
    store = Store(tmp_path)
    commit(store)
    real = os.scandir

    def scandir(path="."):
        if os.path.basename(path) == "sub":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(PermissionError):
        store.by_key("step", KEY).damage()
