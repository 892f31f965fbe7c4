"""history: lines that are added and never lost, and what follows from them."""

from __future__ import annotations

import getpass
import json
import os
import socket
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.history import Event, Evidence, History, append_event, next_event, read_history
from tests.serving.tiny_bundle import evidence

EVENT = Event(
    sequence=1,
    action="promote",
    time="2026-01-02T03:04:05+00:00",
    user="operator",
    host="night",
    by_hand=False,
    from_version=None,
    from_sha256=None,
    to_version=1,
    bundle_sha256="a" * 64,
    reason='two\nlines, a "quote" and 雪',
    evidence=evidence(),
)


def moves(*told):
    """A history from (action, version, digest)."""
    events, before = [], None
    for place, (action, version, digest) in enumerate(told, start=1):
        to = {"to_version": version, "bundle_sha256": digest, "from_sha256": before}
        events.append(replace(EVENT, sequence=place, action=action, by_hand=action == "rollback", **to))
        before = digest
    return History(tuple(events))


def test_line_holds_what_is_asked_later(tmp_path):
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
    }


@given(st.lists(st.text(), max_size=5), st.floats(0, 1))
def test_what_was_added_is_read_back(tmp_path_factory, reasons, accuracy):
    file = tmp_path_factory.mktemp("history") / "history.jsonl"
    proof = Evidence("0007", "e", "v", accuracy, "t", "w")
    reasons = [reason.encode(errors="replace").decode() for reason in reasons]
    events = [replace(EVENT, sequence=n, reason=reason, evidence=proof) for n, reason in enumerate(reasons, start=1)]
    for event in events:
        append_event(file, event)
    assert read_history(file) == History(tuple(events))


def test_no_file_is_no_history(tmp_path):
    assert read_history(tmp_path / "history.jsonl") == History(())


def test_line_that_was_cut_off_never_happened_and_the_next_one_takes_its_place(tmp_path):
    file = tmp_path / "history.jsonl"
    append_event(file, EVENT)
    whole = file.read_bytes()
    file.write_bytes(whole + whole[: len(whole) // 2])
    assert read_history(file) == History((EVENT,))
    second = replace(EVENT, sequence=2)
    append_event(file, second)
    assert read_history(file) == History((EVENT, second))


@pytest.mark.parametrize("line", [b"{}", b"[]", b"null", b"x", b"\xff", b"[" * 100_000, b'{"sequence": 1}'])
def test_damaged_line_is_counted_and_the_others_are_read(tmp_path, line):
    file = tmp_path / "history.jsonl"
    append_event(file, EVENT)
    with file.open("ab") as lines:
        lines.write(line + b"\n")
    append_event(file, replace(EVENT, sequence=2))
    assert read_history(file) == History((EVENT, replace(EVENT, sequence=2)), damaged=(2,))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("sequence", "1"), ("sequence", 0), ("to", True), ("to", 0), ("from", "1"), ("from", 0), ("from_sha256", 1)),
        *(("action", 1), ("action", "Rollback"), ("bundle_sha256", None), ("reason", None), ("user", 1), ("host", 1)),
        *(("time", None), ("by_hand", 1), ("run", 1), ("test_sha256", 1), ("weights_sha256", None)),
        *(("accuracy", None), ("accuracy", "1"), ("accuracy", float("nan")), ("accuracy", 1.1), ("accuracy", True)),
    ],
)
def test_value_of_another_type_is_damage(name, value):
    with pytest.raises(ValueError, match="no event"):
        Event.from_json({**EVENT.to_json(), name: value})


def test_next_event_counts_on_and_says_who_and_where():
    history = moves(("promote", 1, "a"), ("promote", 2, "b"))
    event = next_event(history, (2, "b"), "rollback", (1, "a"), "it was slow", evidence(), by_hand=True)
    assert (event.sequence, event.from_version, event.from_sha256, event.to_version) == (3, 2, "b", 1)
    gone = History(history.events[1:])
    assert next_event(gone, None, "promote", (1, "a"), "", evidence(), by_hand=False).sequence == 3
    assert (event.user, event.host) == (getpass.getuser(), socket.gethostname())
    assert next_event(History(()), None, "promote", (1, "a"), "", evidence(), by_hand=False).sequence == 1


# What Python raised for it until 3.12, and what it does from 3.13 on.
@pytest.mark.parametrize("kind", [KeyError, OSError])
def test_user_without_a_name_is_told_by_number(monkeypatch, kind):
    def nobody():
        raise kind("no such user")

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert next_event(History(()), None, "promote", (1, "a"), "", evidence(), by_hand=False).user == str(os.getuid())


def test_what_was_rolled_back_from_is_known_until_somebody_takes_it_back():
    told = [("promote", 1, "a"), ("promote", 2, "b"), ("rollback", 1, "a")]
    assert list(moves(*told).rolled_back()) == ["b"]
    assert list(moves(*told, ("promote", 3, "c"), ("rollback", 1, "a")).rolled_back()) == ["b", "c"]
    assert list(moves(*told, ("promote", 2, "b")).rolled_back()) == []
    assert list(moves(*told, ("rollback", 2, "b")).rolled_back()) == ["a"]
    assert list(moves(("promote", 1, "a"), ("promote", 2, "b"), ("promote", 1, "a")).rolled_back()) == []
    # Of what a rollback left, the line is lost.
    assert moves(("rollback", 1, "a")).rolled_back() == {}


def test_way_back_passes_over_what_serves_and_what_was_rolled_back_from():
    told = [("promote", 1, "a"), ("promote", 2, "b"), ("promote", 3, "c")]
    assert moves(*told).earlier().to_version == 2
    assert moves(*told, ("rollback", 2, "b")).earlier().to_version == 1
    assert moves(*told, ("rollback", 2, "b"), ("rollback", 1, "a")).earlier() is None
    assert moves(("promote", 1, "a")).earlier() is None
    # The same bundle under another number, because the first copy was damaged.
    assert moves(("promote", 1, "a"), ("promote", 2, "a")).earlier() is None


def test_version_stands_on_what_it_was_promoted_with_last():
    first, second, third = moves(("promote", 1, "a"), ("promote", 2, "b"), ("promote", 1, "a")).events
    assert History((first, second, third)).to(1) == third
    assert History((first, second, third)).to(2) == second
    assert History((first, second, third)).to(3) is None


def test_pointers_own_move_is_added_where_the_line_is_missing():
    history = moves(("promote", 1, "a"), ("promote", 2, "b"))
    assert history.with_last(history.events[1]) == history
    third = replace(EVENT, sequence=3)
    assert history.with_last(third).last == third


def test_rollback_bars_by_itself_also_where_the_line_before_it_is_lost():
    told = moves(("promote", 1, "a"), ("promote", 2, "b"), ("rollback", 1, "a"))
    assert list(History((told.events[0], told.events[2])).rolled_back()) == ["b"]


def test_weights_that_were_rolled_back_from_are_barred_in_any_bundle():
    told = moves(("promote", 1, "a"), ("promote", 2, "b"), ("rollback", 1, "a"))
    weights = ("one", "two", "one")
    events = [
        replace(event, evidence=evidence(weights_sha256=name)) for event, name in zip(told.events, weights, strict=True)
    ]
    history = History(tuple(events))
    assert history.barring("b", "two") == history.barring("another bundle", "two") == events[2]
    assert history.barring("b", "three") == events[2]
    assert history.barring("another bundle", "one") is None


def test_moves_that_are_missing_count_until_a_person_promotes_without_them():
    told = moves(("promote", 1, "a"), ("promote", 2, "b"), ("promote", 3, "c"), ("rollback", 2, "b"))
    assert told.missing() == []
    lacking = History((told.events[0], told.events[3]))
    assert lacking.missing() == [2, 3]
    fifth = replace(EVENT, sequence=5, by_hand=True)
    assert History((*lacking.events, fifth)).missing() == []
    assert History((*lacking.events, replace(fifth, by_hand=False))).missing() == [2, 3]
    assert History((*lacking.events, replace(fifth, action="rollback"))).missing() == [2, 3]
    assert History((*lacking.events, fifth, replace(EVENT, sequence=7))).missing() == [6]
