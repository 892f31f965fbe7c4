"""pointer: a damaged pointer or record is repaired if its content is certain, and otherwise reported."""

from __future__ import annotations

import re
import shutil

import pytest

from serving.errors import BundleError
from serving.registry.pointer import lock_pointer
from serving.registry.server_files import up_to_date_version
from tests.serving.tiny_bundle import evidence, publish, recorded, roll_back


def test_deleted_pointer_is_not_guessed(registry, seal):
    publish(registry, seal())
    publish(registry, seal(seed=1))
    (registry.root / "tiny/promoted.json").unlink()
    with pytest.raises(BundleError, match=r"is gone, version 2 served last: .* rollback tiny --to 2 --reason"):
        publish(registry, seal(seed=2))
    assert registry.promoted("tiny") is None
    assert roll_back(registry, 2).version == 2


def test_damaged_pointer_is_restored_from_the_last_event(registry, seal):
    publish(registry, seal())
    second = publish(registry, seal(seed=1))
    (registry.root / "tiny/promoted.json").write_text("{")
    (registry.root / "tiny/config.pbtxt").unlink()
    with lock_pointer(registry, "tiny") as pointer:
        assert pointer.require_known_serving() == second
    assert registry.promoted("tiny") == second
    assert up_to_date_version(registry, "tiny", second.sha256) == second


def test_damaged_pointer_without_promotion_events_is_not_guessed(registry, seal):
    publish(registry, seal())
    (registry.root / "tiny/promoted.json").write_text("{")
    (registry.root / "tiny/history.jsonl").unlink()
    with pytest.raises(BundleError, match=r"promoted\.json is damaged"):
        publish(registry, seal(seed=1))


def test_damaged_pointer_beside_damaged_promotion_events_is_not_guessed(registry, seal):
    publish(registry, seal())
    publish(registry, seal(seed=1))
    (registry.root / "tiny/promoted.json").write_text("{")
    lines = registry.root / "tiny/history.jsonl"
    lines.write_bytes(lines.read_bytes().splitlines(keepends=True)[0] + b"damaged\n")
    with pytest.raises(BundleError, match=r"promoted\.json is damaged"):
        publish(registry, seal(seed=2))
    assert roll_back(registry, 1).version == 1


def test_gap_is_reported_until_a_manual_promotion_accepts_it(registry, seal):
    for seed in range(3):
        publish(registry, seal(seed=seed))
    lines = registry.root / "tiny/history.jsonl"
    whole = lines.read_bytes().splitlines(keepends=True)
    for kept, first in (([whole[0], b"damaged\n", whole[2]], 2), ([whole[0], whole[2]], 2), ([whole[2]], 1), ([], 1)):
        lines.write_bytes(b"".join(kept))
        with lock_pointer(registry, "tiny") as pointer:
            assert re.search(
                rf"promotion events? missing \(first: number {first}\): restore", pointer.history_problem()
            )
    with lock_pointer(registry, "tiny") as pointer:
        pointer.promote(seal(seed=3), evidence(), "I know", manual=True)
    with lock_pointer(registry, "tiny") as pointer:
        assert pointer.history_problem() is None
        assert [event.sequence for event in recorded(registry).events] == [3, 4]


def test_event_that_only_the_pointer_has_is_recorded_before_the_next_one(registry, seal):
    publish(registry, seal())
    publish(registry, seal(seed=1))
    roll_back(registry, reason="bad at night")
    (registry.root / "tiny/history.jsonl").unlink()
    with lock_pointer(registry, "tiny") as pointer:
        pointer.promote(seal(seed=2), evidence(), "I know", manual=True)
    assert [event.reason for event in recorded(registry).events] == ["bad at night", "I know"]


def test_older_pointer_is_reported_until_the_next_event(registry, seal):
    publish(registry, seal())
    older = (registry.root / "tiny/promoted.json").read_bytes()
    publish(registry, seal(seed=1))
    (registry.root / "tiny/promoted.json").write_bytes(older)
    with lock_pointer(registry, "tiny") as pointer:
        assert "promoted.json is older than" in pointer.history_problem()
    assert roll_back(registry, 1).event.sequence == 3
    with lock_pointer(registry, "tiny") as pointer:
        assert pointer.history_problem() is None


def test_versions_without_pointer_and_promotion_events_are_a_gap(registry, seal):
    publish(registry, seal())
    for name in ("promoted.json", "history.jsonl"):
        (registry.root / "tiny" / name).unlink()
    with lock_pointer(registry, "tiny") as pointer:
        assert pointer.history_problem() is None
    shutil.copytree(seal(seed=1).path, registry.root / "tiny/2")
    with lock_pointer(registry, "tiny") as pointer:
        assert "holds version 2 but no history.jsonl" in pointer.history_problem()


def test_edited_line_is_not_written_twice(registry, seal):
    publish(registry, seal())
    lines = registry.root / "tiny/history.jsonl"
    lines.write_bytes(lines.read_bytes().replace(b"because it is good", b"because it is better"))
    with lock_pointer(registry, "tiny"):
        pass
    assert len(lines.read_bytes().splitlines()) == 1


def test_first_event_without_a_line_is_recorded_later(registry, sealed):
    first = publish(registry, sealed)
    (registry.root / "tiny/history.jsonl").unlink()
    with lock_pointer(registry, "tiny") as pointer:
        assert pointer.history_problem() is None
    assert recorded(registry).events == (first.event,)
