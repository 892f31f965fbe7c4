"""history.jsonl: who let which version of a model serve, when and why; lines are added, never changed."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Self, get_args

from serving.files import append_line

Action = Literal["promote", "rollback"]
# Keywords of the language, and what the fields are called where they are written.
WRITTEN = {"from_version": "from", "to_version": "to"}


@dataclass(frozen=True)
class Evidence:
    """What a version's right to serve rests on.

    Attributes:
        run: the run that made it.
        evaluation_sha256: the digest of the evaluation that passed for it.
        verification_sha256: the digest of the verification that passed for it.
        accuracy: fraction of the test images that got their own label.
        test_sha256: the digest of these test images and labels.
        weights_sha256: the digest of its weights, which may stand in several bundles.
    """

    run: str
    evaluation_sha256: str
    verification_sha256: str
    accuracy: float
    test_sha256: str
    weights_sha256: str


@dataclass(frozen=True)
class Event:
    """One move of the pointer.

    Attributes:
        sequence: 1, 2, …; the order of all moves of this model, which no clock can change.
        action: `promote`, or `rollback` to a version that served before.
        time: ISO 8601 in UTC; for people.
        user: who did it, as the system calls them.
        host: where.
        by_hand: a person asked for it, and took what was on record into account.
        from_version: the version that served until then; None where there was none.
        from_sha256: its digest.
        to_version: the version that serves from then on.
        bundle_sha256: its digest.
        reason: why, in the words of who did it, or the arithmetic of the comparison that let it pass.
        evidence: of the version that serves from then on.
    """

    sequence: int
    action: Action
    time: str
    user: str
    host: str
    by_hand: bool
    from_version: int | None
    from_sha256: str | None
    to_version: int
    bundle_sha256: str
    reason: str
    evidence: Evidence

    def to_json(self) -> dict[str, Any]:
        """As it is written, flat."""
        said = {WRITTEN.get(name, name): value for name, value in vars(self).items() if name != "evidence"}
        return {**said, **vars(self.evidence)}

    @classmethod
    def from_json(cls, said: Any) -> Self:
        """What `to_json` wrote. Raises: ValueError: it did not write this."""
        try:
            proof = Evidence(**{name: said[name] for name in Evidence.__dataclass_fields__})
            own = {n: said[WRITTEN.get(n, n)] for n in cls.__dataclass_fields__ if n != "evidence"}
            event = cls(**own, evidence=proof)
        except (KeyError, TypeError) as error:
            raise ValueError(f"no event: {error!r}") from error
        event._check()
        return event

    def _check(self) -> None:
        """Refuses values that no move has. Raises: ValueError."""
        accuracy, *words = (self.evidence.accuracy, self.time, self.user, self.host, self.bundle_sha256, self.reason)
        words += [getattr(self.evidence, name) for name in Evidence.__dataclass_fields__ if name != "accuracy"]
        numbers = [self.sequence, self.to_version] + ([] if self.from_version is None else [self.from_version])
        if (
            any(type(number) is not int or number < 1 for number in numbers)
            or any(type(word) is not str for word in words)
            or self.action not in get_args(Action)
            or type(self.by_hand) is not bool
            or not (self.from_sha256 is None or type(self.from_sha256) is str)
            or type(accuracy) not in (int, float)
            or not 0 <= accuracy <= 1
        ):
            raise ValueError("no event: it has a value that no move has")


@dataclass(frozen=True)
class History:
    """All moves of one model's pointer, oldest first.

    Attributes:
        events: those that can be read.
        damaged: the numbers of the lines that cannot, 1 or more.
    """

    events: tuple[Event, ...]
    damaged: tuple[int, ...] = ()

    @property
    def last(self) -> Event | None:
        """The move that was made last."""
        return self.events[-1] if self.events else None

    def with_last(self, event: Event) -> Self:
        """With the pointer's own event, where a promotion was cut off before it was written here."""
        known = any(event.sequence == other.sequence for other in self.events)
        return self if known else replace(self, events=(*self.events, event))

    def rolled_back(self) -> dict[str, Event]:
        """The digests that were rolled back from, each with the move that did it, unless a person took it back."""
        barred: dict[str, Event] = {}
        for event in self.events:
            if event.action == "rollback" and event.from_sha256 is not None:
                barred[event.from_sha256] = event
            barred.pop(event.bundle_sha256, None)
        return barred

    def barring(self, bundle_sha256: str, weights_sha256: str) -> Event | None:
        """The rollback from this bundle, or from another one with these weights; None where there was none."""
        barred = self.rolled_back()
        weights = {e.evidence.weights_sha256: barred[e.bundle_sha256] for e in self.events if e.bundle_sha256 in barred}
        return barred.get(bundle_sha256) or weights.get(weights_sha256)

    def missing(self) -> list[int]:
        """The numbers of the moves that are not here, after the last promotion by hand: it was made without them."""
        known = {event.sequence for event in self.events}
        last = max(known, default=0)
        agreed = max((e.sequence for e in self.events if e.by_hand and e.action == "promote"), default=0)
        return [number for number in range(agreed + 1, last) if number not in known]

    def earlier(self) -> Event | None:
        """The move to the version to go back to: it served before the present one, and nobody went back from it."""
        barred = self.rolled_back()
        for event in reversed(self.events):
            if self.last is not None and event.bundle_sha256 not in (self.last.bundle_sha256, *barred):
                return event
        return None

    def to(self, version: int) -> Event | None:
        """The last move to a version; None where it was never promoted."""
        return next((event for event in reversed(self.events) if event.to_version == version), None)


def read_history(file: Path) -> History:
    """Reads a model's history; a last line without its end was cut off as it was written, and never counted."""
    try:
        raw = file.read_bytes()
    except FileNotFoundError:
        return History(())
    events, damaged = [], []
    for number, line in enumerate(raw.split(b"\n")[:-1], start=1):
        try:
            events.append(Event.from_json(json.loads(line)))
        except (ValueError, RecursionError):
            damaged.append(number)
    return History(tuple(events), tuple(damaged))


def append_event(file: Path, event: Event) -> None:
    """Adds a move, on the disk when it returns."""
    append_line(file, json.dumps(event.to_json(), sort_keys=True, ensure_ascii=False, allow_nan=False))


def next_event(
    history: History,
    serving: tuple[int, str] | None,
    action: Action,
    to: tuple[int, str],
    reason: str,
    evidence: Evidence,
    by_hand: bool,
) -> Event:
    """The move that comes next, by this user, on this host, now.

    Args:
        history: all moves before it.
        serving: version and digest that serve until then; None where nothing does.
        action: what it is.
        to: version and digest that will serve.
        reason: why.
        evidence: of that version.
        by_hand: a person asks for it.
    """
    return Event(
        sequence=max((event.sequence for event in history.events), default=0) + 1,
        action=action,
        time=datetime.now(UTC).isoformat(timespec="seconds"),
        user=_user(),
        host=os.uname().nodename,
        by_hand=by_hand,
        from_version=None if serving is None else serving[0],
        from_sha256=None if serving is None else serving[1],
        to_version=to[0],
        bundle_sha256=to[1],
        reason=reason,
        evidence=evidence,
    )


def _user() -> str:
    # A third of what the other modules take to be imported, and scoring needs it never.
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):
        # A container's user often has a number and no name.
        return str(os.getuid())
