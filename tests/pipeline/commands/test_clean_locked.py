"""clean and a run at the same time: one waits for the other, or does nothing."""

from __future__ import annotations

import multiprocessing

from pipeline.__main__ import main
from pipeline.engine.store import Store


def hold(root, ready, done) -> None:
    with Store(root).shared():
        ready.set()
        done.wait(60)


def take(root, waiting, seen) -> None:
    waiting.set()
    with Store(root).shared():
        seen.put((root / "cleaned").exists())


def test_removes_nothing_during_a_run(three, capsys):
    context = multiprocessing.get_context("spawn")
    ready, done = context.Event(), context.Event()
    run = context.Process(target=hold, args=(three.store.root, ready, done))
    run.start()
    ready.wait(60)
    before = sorted(three.store.root.rglob("*"))
    assert main(["clean", "--keep", "1"]) == 1
    assert "another command is using runs: nothing was done, try again" in capsys.readouterr().err
    assert sorted(three.store.root.rglob("*")) == before
    done.set()
    run.join(60)
    assert main(["clean", "--keep", "1"]) == 0


def test_run_that_starts_meanwhile_waits(three):
    context = multiprocessing.get_context("spawn")
    waiting, seen = context.Event(), context.Queue()
    run = context.Process(target=take, args=(three.store.root, waiting, seen))
    with three.store.exclusive():
        run.start()
        waiting.wait(60)
        (three.store.root / "cleaned").touch()
    assert seen.get(timeout=600)
    run.join(60)
