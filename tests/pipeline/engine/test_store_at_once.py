"""store: processes that make the same artifact at once take turns."""

from __future__ import annotations

import os
from multiprocessing import get_context

from pipeline.engine.store import Store

ROUNDS = 30
KEY = "a" * 64


def commit_often(barrier, store, number):
    barrier.wait()
    for turn in range(ROUNDS):
        with store.staging("step", KEY) as out:
            (out / "file").write_text(f"{number} {turn}")
            store.commit("step", KEY, {})


def test_processes_that_make_the_same_artifact_take_turns(tmp_path):
    store = Store(tmp_path)
    context = get_context("spawn")
    barrier = context.Barrier(4)
    processes = [context.Process(target=commit_often, args=(barrier, store, number)) for number in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0, 0]
    assert store.by_key("step", KEY).damage() is None
    assert list((tmp_path / ".staging").iterdir()) == []


def test_folder_that_another_process_made_after_the_commit_is_not_removed(tmp_path):
    store = Store(tmp_path)
    with store.staging("step", KEY) as out:
        (out / "file").write_text("first")
        store.commit("step", KEY, {})
        out.mkdir(parents=True)
        (out / "file").write_text("of another process")
    assert (out / "file").read_text() == "of another process"
    assert store.by_key("step", KEY).damage() is None


def test_folder_that_is_moved_away_before_it_is_locked_is_made_again(tmp_path, monkeypatch):
    opens = os.open

    def moved_away(path, flags):
        monkeypatch.undo()
        os.rmdir(path)
        return opens(path, flags)

    store = Store(tmp_path)
    monkeypatch.setattr(os, "open", moved_away)
    with store.staging("step", KEY) as out:
        (out / "file").write_text("whole")
        store.commit("step", KEY, {})
    assert store.by_key("step", KEY).damage() is None
