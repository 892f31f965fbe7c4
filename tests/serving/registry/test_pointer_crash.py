"""pointer: a process that dies at any moment leaves one version or the other."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from serving.bundle.bundle import load_bundle
from serving.registry.pointer import lock_pointer
from serving.registry.registry import Registry
from serving.registry.server_files import up_to_date_version
from tests.conftest import ROOT
from tests.serving.tiny_bundle import publish, recorded

CRASH = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from serving.bundle.bundle import load_bundle
from serving.registry.pointer import lock_pointer
from serving.registry.registry import Registry
from tests.serving.tiny_bundle import evidence

root, sealed, action, nth = Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4], int(sys.argv[5])
calls = 0

def watched(name):
    real = getattr(os, name)
    def call(*arguments, **named):
        global calls
        calls += 1
        if calls == nth:
            os._exit(9)
        return real(*arguments, **named)
    return call

for name in ("replace", "rename", "fsync"):
    setattr(os, name, watched(name))
with lock_pointer(Registry(root), "tiny") as pointer:
    if action == "promote":
        pointer.promote(load_bundle(sealed), evidence("0003"), "a crash")
    else:
        pointer.roll_back(None, "a crash")
print(calls)
"""


def crashed(registry, sealed, action, nth):
    """Runs a process that dies at its nth change of the disk. Returns: whether it reached that change."""
    command = [sys.executable, "-c", CRASH, str(ROOT), str(registry.root), str(sealed.path), action, str(nth)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 9), done.stderr
    return done.returncode == 9


@pytest.mark.exhaustive
@pytest.mark.parametrize("action", ["promote", "rollback"])
def test_killed_process_leaves_one_version_or_the_other_and_the_next_one_repairs(seal, tmp_path, action):
    origin = Registry(tmp_path / "origin")
    publish(origin, seal())
    publish(origin, seal(seed=1))
    third = seal(seed=2)
    moved, nth, died = set(), 1, True
    while died:
        registry = Registry(tmp_path / f"crash-{nth}")
        shutil.copytree(origin.root, registry.root)
        died = crashed(registry, third, action, nth)
        after = registry.promoted("tiny")
        load_bundle(after.path, after.sha256)
        moved.add(after.version)
        with lock_pointer(registry, "tiny") as pointer:
            assert pointer.history_problem() is None
        assert registry.promoted("tiny") == after
        assert recorded(registry).last == after.event
        assert [event.sequence for event in recorded(registry).events] == [1, 2, 3][: len(recorded(registry).events)]
        assert up_to_date_version(registry, "tiny", after.sha256) == after
        nth += 1
    assert moved == {2, 3 if action == "promote" else 1}
    assert nth > 10


def test_each_rename_is_after_a_flush_of_the_file_and_before_one_of_the_folder(registry, seal, monkeypatch):
    publish(registry, seal())
    calls = []

    def watch(name, real):
        def call(*arguments, **named):
            where = os.readlink(f"/proc/self/fd/{arguments[0]}") if name == "fsync" else tuple(map(str, arguments[:2]))
            calls.append((name, where))
            return real(*arguments, **named)

        monkeypatch.setattr(os, name, call)

    for name in ("replace", "rename", "fsync"):
        watch(name, getattr(os, name))
    publish(registry, seal(seed=1))
    renames = [place for place, (name, _) in enumerate(calls) if name != "fsync"]
    assert len(renames) == 4
    for place in renames:
        source, target = calls[place][1]
        assert ("fsync", source) in calls[:place]
        assert calls[place + 1] == ("fsync", os.path.dirname(target))
    history = calls.index(("fsync", str(registry.root / "tiny/history.jsonl")))
    assert calls[history + 1] == ("fsync", str(registry.root / "tiny"))


def test_folder_of_a_new_model_is_flushed_before_its_pointer_is_locked(registry, monkeypatch):
    flushed = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: flushed.append(os.readlink(f"/proc/self/fd/{descriptor}")))
    with lock_pointer(registry, "tiny"):
        assert flushed == [str(registry.root)]
