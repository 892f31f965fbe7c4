"""registry: the version that serves changes in one step or not at all, also during failures and concurrent use."""

from __future__ import annotations

import errno
import json
import os
import threading
from multiprocessing import get_context

import pytest

from serving.bundle.bundle import load_bundle
from tests.serving.registry.test_registry import AFTER_ONE, AFTER_TWO
from tests.serving.tiny_bundle import loaded, publish


def pointer(registry):
    return json.loads((registry.root / "tiny" / "promoted.json").read_text(encoding="utf-8"))


def names(registry):
    return sorted(path.name for path in (registry.root / "tiny").iterdir() if path.name != ".lock")


def fail(*paths):
    raise OSError(errno.EIO, "no rename")


def test_failure_before_the_version_appears_changes_nothing(registry, seal, monkeypatch):
    publish(registry, seal(), "tiny", "run-1")
    before = pointer(registry)
    with monkeypatch.context() as patched:
        patched.setattr(os, "rename", fail)
        with pytest.raises(OSError, match="no rename"):
            publish(registry, seal(seed=1), "tiny", "run-2")
    assert names(registry) == AFTER_ONE
    assert pointer(registry) == before


def test_failure_before_the_pointer_changes_leaves_the_old_version_serving(registry, seal, monkeypatch):
    first, second = seal(), seal(seed=1)
    publish(registry, first, "tiny", "run-1")
    before = pointer(registry)
    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", fail)
        with pytest.raises(OSError, match="no rename"):
            publish(registry, second, "tiny", "run-2")
    assert pointer(registry) == before
    assert loaded(registry.promoted("tiny")).sha256 == first.sha256
    assert not [name for name in names(registry) if name.startswith(".incoming-")]
    assert publish(registry, second, "tiny", "run-3").version == 2
    assert names(registry) == AFTER_TWO


def test_incomplete_copy_of_a_killed_run_is_replaced(registry, sealed):
    left = registry.root / "tiny" / ".incoming-1"
    left.mkdir(parents=True)
    (left / "half.onnx").write_bytes(b"half")
    assert loaded(publish(registry, sealed, "tiny", "run-1")).sha256 == sealed.sha256
    assert names(registry) == AFTER_ONE


def test_files_are_flushed_before_the_version_appears(registry, sealed, monkeypatch):
    flushed, known_at_rename = set(), []
    rename = os.rename

    def watched(source, target):
        known_at_rename.extend(path.stat().st_ino in flushed for path in [source, *source.rglob("*")])
        rename(source, target)

    monkeypatch.setattr(os, "fsync", lambda descriptor: flushed.add(os.fstat(descriptor).st_ino))
    monkeypatch.setattr(os, "rename", watched)
    publish(registry, sealed, "tiny", "run-1")
    assert len(known_at_rename) == 9
    assert all(known_at_rename)


def publish_together(barrier, answers, registry, candidate):
    barrier.wait()
    answers.put((candidate.sha256, publish(registry, candidate, "tiny", "run").version))


def publish_at_once(registry, candidates):
    """The digest and version of each process."""
    context = get_context("spawn")
    barrier, answers = context.Barrier(len(candidates)), context.Queue()
    processes = [
        context.Process(target=publish_together, args=(barrier, answers, registry, candidate))
        for candidate in candidates
    ]
    for process in processes:
        process.start()
    got = [answers.get(timeout=600) for _ in processes]
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * len(processes)
    return got


def test_concurrent_processes_get_one_version_per_digest(registry, seal):
    candidates = [seal(), seal(seed=1), seal(seed=1)]
    got = publish_at_once(registry, candidates)
    assert len(set(got)) == 2
    assert sorted({version for _, version in got}) == [1, 2]
    for sha256, version in got:
        assert load_bundle(registry.root / "tiny" / str(version), sha256)
    assert (pointer(registry)["sha256"], pointer(registry)["version"]) in got
    assert names(registry) == AFTER_TWO


def test_reader_sees_a_complete_pointer(registry, seal):
    candidates = [seal(), seal(seed=1)]
    whole = {(publish(registry, candidate, "tiny", "run").version, candidate.sha256) for candidate in candidates}

    def flip():
        for turn in range(40):
            publish(registry, candidates[turn % 2], "tiny", "run")

    writer = threading.Thread(target=flip)
    writer.start()
    seen = set()
    while writer.is_alive():
        promoted = registry.promoted("tiny")
        seen.add((promoted.version, promoted.sha256))
    writer.join()
    assert seen <= whole


def test_open_pointer_keeps_its_content(registry, seal):
    publish(registry, seal(), "tiny", "run-1")
    with (registry.root / "tiny" / "promoted.json").open() as opened:
        publish(registry, seal(seed=1), "tiny", "run-2")
        assert json.load(opened)["version"] == 1
