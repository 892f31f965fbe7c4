"""store: processes that make the same artifact at once take turns."""

from __future__ import annotations

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
