"""pointer: readers see whole versions while others promote."""

from __future__ import annotations

from multiprocessing import get_context

import pytest

from serving.registry.pointer import lock_pointer
from serving.scoring.scorer import Scorer
from tests.serving.tiny_bundle import evidence, loaded, publish, random_images, recorded

ROUNDS = 30


def move_often(barrier, registry, candidate, reason):
    """A person who promotes and rolls back."""
    barrier.wait()
    for _ in range(ROUNDS):
        with lock_pointer(registry, "tiny") as pointer:
            pointer.promote(candidate, evidence(), reason, manual=True)


def read_often(barrier, registry, labels, moving):
    """A server. Puts into `labels` what the version of each moment predicted."""
    images = random_images(20)
    barrier.wait()
    found = set()
    while moving.value:
        promoted = registry.promoted("tiny")
        scores = Scorer(loaded(promoted), threads=1).score(images)
        found.add((promoted.version, promoted.sha256, scores.labels.tobytes()))
    labels.put(found)


def together(*calls):
    """Processes that start at the same moment."""
    processes = [get_context("spawn").Process(target=function, args=arguments) for function, *arguments in calls]
    for process in processes:
        process.start()
    return processes


@pytest.mark.exhaustive
def test_eight_readers_see_whole_versions_while_two_people_promote(registry, seal):
    candidates = [seal(seed=seed) for seed in range(2)]
    versions = {publish(registry, candidate).version: candidate.sha256 for candidate in candidates}
    context = get_context("spawn")
    barrier, labels, moving = context.Barrier(10), context.Queue(), context.Value("b", 1)
    readers = together(*[(read_often, barrier, registry, labels, moving)] * 8)
    movers = together(*((move_often, barrier, registry, candidate, "at once") for candidate in candidates))
    for process in movers:
        process.join()
    moving.value = 0
    found = set.union(*(labels.get(timeout=600) for _ in readers))
    for process in readers:
        process.join()
    assert [process.exitcode for process in (*movers, *readers)] == [0] * 10
    # Each version has its digest, and the same predictions for every reader.
    assert {(version, sha256) for version, sha256, _ in found} <= set(versions.items())
    assert len(found) == len({version for version, *_ in found})
    events = recorded(registry).events
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    assert registry.promoted("tiny").event == events[-1]
