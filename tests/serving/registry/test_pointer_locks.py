"""pointer: processes that promote at once wait for each other."""

from __future__ import annotations

import fcntl
import os
from multiprocessing import get_context
from pathlib import Path

from serving.registry.pointer import lock_pointer
from tests.serving.tiny_bundle import evidence, publish, recorded


def is_locked(file):
    """Whether the lock is exclusive at the moment."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def test_model_changes_under_its_lock_and_server_files_under_the_lock_of_all_models(registry, sealed, monkeypatch):
    locked = {}

    def watch(name, real):
        def call(source, target):
            locked[Path(target).name] = (is_locked(registry.root / "tiny/.lock"), is_locked(registry.root / ".lock"))
            real(source, target)

        monkeypatch.setattr(os, name, call)

    for name in ("replace", "rename"):
        watch(name, getattr(os, name))
    publish(registry, sealed)
    assert locked == {
        "1": (True, False),
        "promoted.json": (True, False),
        "config.pbtxt": (True, True),
        "models.config": (True, True),
    }
    assert not is_locked(registry.root / "tiny/.lock")


def promote_together(barrier, answers, registry, candidate, run):
    barrier.wait()
    with lock_pointer(registry, "tiny") as pointer:
        champion = pointer.require_known_serving()
        promoted = pointer.promote(candidate, evidence(run), "at once")
    answers.put((run, None if champion is None else champion.version, promoted.version))


def test_second_of_two_concurrent_promotions_sees_the_first_as_the_champion(registry, seal):
    publish(registry, seal(), run="0001")
    context = get_context("spawn")
    barrier, answers = context.Barrier(2), context.Queue()
    processes = [
        context.Process(target=promote_together, args=(barrier, answers, registry, seal(seed=seed), run))
        for seed, run in ((1, "0002"), (2, "0003"))
    ]
    for process in processes:
        process.start()
    got = sorted((answers.get(timeout=600) for _ in processes), key=lambda answer: answer[2])
    for process in processes:
        process.join()
    assert [(champion, version) for _, champion, version in got] == [(1, 2), (2, 3)]
    events = recorded(registry).events
    assert [(e.sequence, e.from_version, e.to_version) for e in events] == [(1, None, 1), (2, 1, 2), (3, 2, 3)]
    assert [event.evidence.run for event in events[1:]] == [run for run, _, _ in got]


def publish_together(barrier, registry, candidate, model):
    barrier.wait()
    publish(registry, candidate, model)


def test_models_promoted_concurrently_are_all_in_the_file_of_tensorflow_serving(registry, seal):
    context = get_context("spawn")
    barrier = context.Barrier(4)
    models = [f"model-{number}" for number in range(4)]
    processes = [
        context.Process(target=publish_together, args=(barrier, registry, seal(seed=seed), model))
        for seed, model in enumerate(models)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    config = (registry.root / "models.config").read_text()
    assert all(f'name: "{model}"' in config for model in models)
