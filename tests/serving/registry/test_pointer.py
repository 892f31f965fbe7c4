"""pointer: a promotion or rollback is one event, recorded, and made only for a bundle that passes the smoke test."""

from __future__ import annotations

import errno
import os
import shutil
import signal
from pathlib import Path

import pytest

from serving import files
from serving.bundle.bundle import load_bundle
from serving.bundle.manifest import write_manifest
from serving.errors import BundleError, InputError
from serving.interrupts import Terminated
from serving.registry.pointer import lock_pointer
from serving.registry.server_files import up_to_date_version
from tests.serving.tiny_bundle import publish, recorded, roll_back


def test_promotions_and_rollbacks_are_recorded_in_order(registry, seal):
    publish(registry, seal(), run="0001", accuracy=0.91)
    publish(registry, seal(seed=1), run="0002", accuracy=0.92)
    rolled = roll_back(registry, reason="too slow at night")
    assert (rolled.version, registry.promoted("tiny")) == (1, rolled)
    first, second, third = recorded(registry).events
    assert [(e.sequence, e.action, e.from_version, e.to_version) for e in (first, second, third)] == [
        (1, "promote", None, 1),
        (2, "promote", 1, 2),
        (3, "rollback", 2, 1),
    ]
    assert third.reason == "too slow at night"
    assert (third.bundle_sha256, third.evidence) == (first.bundle_sha256, first.evidence)
    assert (second.evidence.run, second.evidence.accuracy) == ("0002", 0.92)


def test_bundle_that_fails_the_smoke_test_is_not_promoted(registry, seal):
    publish(registry, seal())
    second = seal(seed=1)
    shutil.copy(seal(seed=2).path / "sample/probabilities.npy", second.path / "sample/probabilities.npy")
    (second.path / "manifest.json").unlink()
    write_manifest(second.path, second.manifest)
    with pytest.raises(BundleError, match="of the sample is"):
        publish(registry, load_bundle(second.path))
    assert registry.promoted("tiny").version == 1
    assert [event.to_version for event in registry.promotion_events("tiny").events] == [1]


def test_number_of_a_deleted_version_is_not_given_again(registry, seal):
    for seed in range(2):
        publish(registry, seal(seed=seed))
    roll_back(registry)
    shutil.rmtree(registry.root / "tiny/2")
    assert publish(registry, seal(seed=2)).version == 3


def test_event_that_cannot_be_recorded_does_not_happen(registry, seal):
    publish(registry, seal())
    publish(registry, seal(seed=1))
    lines = registry.root / "tiny/history.jsonl"
    with lock_pointer(registry, "tiny") as pointer:
        lines.unlink()
        lines.mkdir()
        with pytest.raises(IsADirectoryError):
            pointer.roll_back(1, "too slow")
    assert registry.promoted("tiny").version == 2


def test_event_that_could_not_be_recorded_is_recorded_by_the_next_holder_of_the_lock(registry, seal, monkeypatch):
    publish(registry, seal())
    publish(registry, seal(seed=1))

    def full(file, event):
        raise OSError(28, "No space left on device", str(file))

    with monkeypatch.context() as patched:
        patched.setattr("serving.registry.pointer.append_event", full)
        with pytest.raises(OSError, match="No space left on device"):
            roll_back(registry)
    assert registry.promoted("tiny").version == 1
    with lock_pointer(registry, "tiny"):
        assert [event.sequence for event in recorded(registry).events] == [1, 2, 3]


def test_sigterm_between_pointer_and_history_waits_for_both(registry, seal, monkeypatch, handled_signals):
    publish(registry, seal())
    publish(registry, seal(seed=1))
    real = files.append_line

    def stopped(*arguments):
        signal.raise_signal(signal.SIGTERM)
        real(*arguments)

    monkeypatch.setattr("serving.registry.promotion_events.append_line", stopped)
    with pytest.raises(Terminated):
        roll_back(registry)
    assert registry.promoted("tiny").version == 1
    assert recorded(registry).last.to_version == 1


@pytest.mark.usefixtures("handled_signals")
def test_ctrl_c_while_the_pointer_changes_waits_for_the_line_and_the_servers(registry, seal, monkeypatch):
    publish(registry, seal())
    replace = os.replace

    def stopped(source, target):
        if Path(target).name == "promoted.json":
            signal.raise_signal(signal.SIGINT)
        replace(source, target)

    monkeypatch.setattr(os, "replace", stopped)
    with pytest.raises(KeyboardInterrupt):
        publish(registry, seal(seed=1))
    now = registry.promoted("tiny")
    assert now.version == 2
    assert recorded(registry).last == now.event
    assert up_to_date_version(registry, "tiny", now.sha256) == now


def test_name_of_the_file_for_tensorflow_serving_is_not_a_model_name(registry, sealed):
    for name in ("models.config", "Models.Config"):
        with pytest.raises(InputError, match=r"is not a valid model name: .* file for TensorFlow Serving"):
            publish(registry, sealed, name)


def test_unreadable_pointer_of_another_model_does_not_matter(registry, seal):
    publish(registry, seal())
    publish(registry, seal(seed=1))
    (registry.root / "other/promoted.json").mkdir(parents=True)
    assert roll_back(registry).version == 1
    with pytest.raises(BundleError, match=r"other/promoted\.json cannot be read"):
        registry.promoted("other")


def test_event_that_did_not_reach_the_pointer_is_not_recorded(registry, seal, monkeypatch):
    publish(registry, seal())
    before = recorded(registry)

    def fail(source, target):
        raise OSError(errno.EIO, "no rename")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="no rename"):
        publish(registry, seal(seed=1))
    assert recorded(registry) == before
