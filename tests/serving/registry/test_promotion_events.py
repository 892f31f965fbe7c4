"""promotion events: lines are added and never lost, and the events decide what is blocked."""

from __future__ import annotations

import getpass
import json
import os
import socket
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.codec import FormatError
from serving.registry.promotion_events import (
    Difference,
    Evidence,
    PromotionEvent,
    PromotionEvents,
    append_event,
    next_event,
    read_promotion_events,
)
from tests.serving.tiny_bundle import evidence

EVENT = PromotionEvent(
    sequence=1,
    action="promote",
    time="2026-01-02T03:04:05+00:00",
    user="operator",
    host="night",
    manual=False,
    from_version=None,
    from_sha256=None,
    to_version=1,
    bundle_sha256="a" * 64,
    reason='two\nlines, a "quote" and 雪',
    evidence=evidence(),
)


def events_of(*moves):
    """Promotion events from (action, version, digest)."""
    events, before = [], None
    for place, (action, version, digest) in enumerate(moves, start=1):
        to = {"to_version": version, "bundle_sha256": digest, "from_sha256": before}
        events.append(replace(EVENT, sequence=place, action=action, manual=action == "rollback", **to))
        before = digest
    return PromotionEvents(tuple(events))


def test_line_has_all_fields(tmp_path):
    append_event(tmp_path / "history.jsonl", EVENT)
    assert json.loads((tmp_path / "history.jsonl").read_text(encoding="utf-8")) == {
        "sequence": 1,
        "action": "promote",
        "time": "2026-01-02T03:04:05+00:00",
        "user": "operator",
        "host": "night",
        "by_hand": False,
        "from": None,
        "from_sha256": None,
        "to": 1,
        "reason": 'two\nlines, a "quote" and 雪',
        "run": "0001",
        "bundle_sha256": "a" * 64,
        "evaluation_sha256": "e" * 64,
        "verification_sha256": "f" * 64,
        "accuracy": 0.97,
        "test_sha256": "0" * 64,
        "weights_sha256": "w" * 64,
        "difference": None,
    }


def test_difference_is_read_as_it_was_written_and_events_of_earlier_releases_have_none(tmp_path):
    found = replace(EVENT, evidence=replace(EVENT.evidence, difference=Difference(3, 5, -0.002, -0.0071, 0.0031)))
    append_event(tmp_path / "history.jsonl", found)
    earlier = {name: value for name, value in EVENT.to_json().items() if name != "difference"}
    with (tmp_path / "history.jsonl").open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(earlier) + "\n")
    assert read_promotion_events(tmp_path / "history.jsonl").events == (found, EVENT)


@given(st.lists(st.text(), max_size=5), st.floats(0, 1))
def test_added_events_are_read_back(tmp_path_factory, reasons, accuracy):
    file = tmp_path_factory.mktemp("history") / "history.jsonl"
    proof = Evidence("0007", "e", "v", accuracy, "t", "w")
    reasons = [reason.encode(errors="replace").decode() for reason in reasons]
    events = [replace(EVENT, sequence=n, reason=reason, evidence=proof) for n, reason in enumerate(reasons, start=1)]
    for event in events:
        append_event(file, event)
    assert read_promotion_events(file) == PromotionEvents(tuple(events))


def test_missing_file_has_no_events(tmp_path):
    assert read_promotion_events(tmp_path / "history.jsonl") == PromotionEvents(())


def test_incomplete_line_does_not_count_and_the_next_one_replaces_it(tmp_path):
    file = tmp_path / "history.jsonl"
    append_event(file, EVENT)
    whole = file.read_bytes()
    file.write_bytes(whole + whole[: len(whole) // 2])
    assert read_promotion_events(file) == PromotionEvents((EVENT,))
    second = replace(EVENT, sequence=2)
    append_event(file, second)
    assert read_promotion_events(file) == PromotionEvents((EVENT, second))


@pytest.mark.parametrize("line", [b"{}", b"[]", b"null", b"x", b"\xff", b"[" * 100_000, b'{"sequence": 1}'])
def test_damaged_line_is_reported_and_the_others_are_read(tmp_path, line):
    file = tmp_path / "history.jsonl"
    append_event(file, EVENT)
    with file.open("ab") as lines:
        lines.write(line + b"\n")
    append_event(file, replace(EVENT, sequence=2))
    assert read_promotion_events(file) == PromotionEvents((EVENT, replace(EVENT, sequence=2)), damaged=(2,))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("sequence", "1"), ("sequence", 0), ("to", True), ("to", 0), ("from", "1"), ("from", 0), ("from_sha256", 1)),
        *(("action", 1), ("action", "Rollback"), ("bundle_sha256", None), ("reason", None), ("user", 1), ("host", 1)),
        *(("time", None), ("by_hand", 1), ("run", 1), ("test_sha256", 1), ("weights_sha256", None)),
        *(("accuracy", None), ("accuracy", "1"), ("accuracy", float("nan")), ("accuracy", 1.1), ("accuracy", True)),
    ],
)
def test_invalid_value_is_refused(name, value):
    with pytest.raises(FormatError, match=r"^line 1: "):
        PromotionEvent.from_json({**EVENT.to_json(), name: value}, "line 1")


def test_next_event_has_the_next_number_the_user_and_the_host():
    history = events_of(("promote", 1, "a"), ("promote", 2, "b"))
    event = next_event(
        history,
        replace(EVENT, to_version=2, bundle_sha256="b"),
        "rollback",
        (1, "a"),
        "it was slow",
        evidence(),
        manual=True,
    )
    assert (event.sequence, event.from_version, event.from_sha256, event.to_version) == (3, 2, "b", 1)
    gone = PromotionEvents(history.events[1:])
    assert next_event(gone, None, "promote", (1, "a"), "", evidence(), manual=False).sequence == 3
    assert (event.user, event.host) == (getpass.getuser(), socket.gethostname())
    assert next_event(PromotionEvents(()), None, "promote", (1, "a"), "", evidence(), manual=False).sequence == 1


# KeyError up to Python 3.12, OSError from 3.13 on.
@pytest.mark.parametrize("kind", [KeyError, OSError])
def test_user_without_a_name_is_recorded_by_number(monkeypatch, kind):
    def unknown():
        raise kind("no such user")

    monkeypatch.setattr(getpass, "getuser", unknown)
    assert next_event(PromotionEvents(()), None, "promote", (1, "a"), "", evidence(), manual=False).user == str(
        os.getuid()
    )


def test_bundle_that_was_rolled_back_is_blocked_until_it_is_promoted_again():
    moves = [("promote", 1, "a"), ("promote", 2, "b"), ("rollback", 1, "a")]
    assert list(events_of(*moves).rolled_back()) == ["b"]
    assert list(events_of(*moves, ("promote", 3, "c"), ("rollback", 1, "a")).rolled_back()) == ["b", "c"]
    assert list(events_of(*moves, ("promote", 2, "b")).rolled_back()) == []
    assert list(events_of(*moves, ("rollback", 2, "b")).rolled_back()) == ["a"]
    assert list(events_of(("promote", 1, "a"), ("promote", 2, "b"), ("promote", 1, "a")).rolled_back()) == []
    # The line of the promotion before the rollback is lost.
    assert events_of(("rollback", 1, "a")).rolled_back() == {}


def test_previous_event_is_of_another_bundle_that_is_not_blocked():
    moves = [("promote", 1, "a"), ("promote", 2, "b"), ("promote", 3, "c")]
    assert events_of(*moves).previous().to_version == 2
    assert events_of(*moves, ("rollback", 2, "b")).previous().to_version == 1
    assert events_of(*moves, ("rollback", 2, "b"), ("rollback", 1, "a")).previous() is None
    assert events_of(("promote", 1, "a")).previous() is None
    # The same bundle under another number, because the first copy was damaged.
    assert events_of(("promote", 1, "a"), ("promote", 2, "a")).previous() is None


def test_last_event_of_a_version_is_found():
    first, second, third = events_of(("promote", 1, "a"), ("promote", 2, "b"), ("promote", 1, "a")).events
    assert PromotionEvents((first, second, third)).last_to(1) == third
    assert PromotionEvents((first, second, third)).last_to(2) == second
    assert PromotionEvents((first, second, third)).last_to(3) is None


def test_event_of_the_pointer_is_added_if_its_line_is_missing():
    history = events_of(("promote", 1, "a"), ("promote", 2, "b"))
    assert history.with_last(history.events[1]) == history
    third = replace(EVENT, sequence=3)
    assert history.with_last(third).last == third


def test_rollback_blocks_even_if_the_line_before_it_is_lost():
    events = events_of(("promote", 1, "a"), ("promote", 2, "b"), ("rollback", 1, "a"))
    assert list(PromotionEvents((events.events[0], events.events[2])).rolled_back()) == ["b"]


def test_weights_that_were_rolled_back_are_blocked_in_any_bundle():
    moves = events_of(("promote", 1, "a"), ("promote", 2, "b"), ("rollback", 1, "a")).events
    weights = ("one", "two", "one")
    events = [
        replace(event, evidence=evidence(weights_sha256=name)) for event, name in zip(moves, weights, strict=True)
    ]
    history = PromotionEvents(tuple(events))
    assert history.blocking("b", "two") == history.blocking("another bundle", "two") == events[2]
    assert history.blocking("b", "three") == events[2]
    assert history.blocking("another bundle", "one") is None


def test_missing_events_count_until_a_manual_promotion():
    events = events_of(("promote", 1, "a"), ("promote", 2, "b"), ("promote", 3, "c"), ("rollback", 2, "b"))
    assert events.missing() == []
    incomplete = PromotionEvents((events.events[0], events.events[3]))
    assert incomplete.missing() == [2, 3]
    fifth = replace(EVENT, sequence=5, manual=True)
    assert PromotionEvents((*incomplete.events, fifth)).missing() == []
    assert PromotionEvents((*incomplete.events, replace(fifth, manual=False))).missing() == [2, 3]
    assert PromotionEvents((*incomplete.events, replace(fifth, action="rollback"))).missing() == [2, 3]
    assert PromotionEvents((*incomplete.events, fifth, replace(EVENT, sequence=7))).missing() == [6]
