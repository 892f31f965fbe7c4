"""history.jsonl: who let which version of a model serve, when and why; lines are added, never changed."""

from __future__ import annotations

import getpass
import json
import os
import socket
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Self

from serving.files import append_line

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
    """

    run: str
    evaluation_sha256: str
    verification_sha256: str
    accuracy: float
    test_sha256: str


@dataclass(frozen=True)
class Event:
    """One move of the pointer.

    Attributes:
        sequence: 1, 2, …; the order of all moves of this model, which no clock can change.
        action: `promote`, or `rollback` to a version that served before.
        time: ISO 8601 in UTC; for people.
        user: who did it, as the system calls them.
        host: where.
        from_version: the version that served until then; None where there was none.
        to_version: the version that serves from then on.
        bundle_sha256: its digest.
        reason: why, in the words of who did it, or the arithmetic of the comparison that let it pass.
        evidence: of the version that serves from then on.
    """

    sequence: int
    action: Literal["promote", "rollback"]
    time: str
    user: str
    host: str
    from_version: int | None
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
        numbers, words = (event.sequence, event.to_version), (event.action, event.bundle_sha256, event.evidence.run)
        if any(type(number) is not int for number in numbers) or any(type(word) is not str for word in words):
            raise ValueError("no event: a number or a text is of another type")
        return event


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
        serving: str | None = None
        for event in self.events:
            if event.action == "rollback" and serving is not None:
                barred[serving] = event
            barred.pop(event.bundle_sha256, None)
            serving = event.bundle_sha256
        return barred

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
    serving: int | None,
    action: Literal["promote", "rollback"],
    to: tuple[int, str],
    reason: str,
    evidence: Evidence,
) -> Event:
    """The move that comes next, by this user, on this host, now.

    Args:
        history: all moves before it.
        serving: the version that serves until then.
        action: what it is.
        to: version and digest that will serve.
        reason: why.
        evidence: of that version.
    """
    return Event(
        sequence=max((event.sequence for event in history.events), default=0) + 1,
        action=action,
        time=datetime.now(UTC).isoformat(timespec="seconds"),
        user=_user(),
        host=socket.gethostname(),
        from_version=serving,
        to_version=to[0],
        bundle_sha256=to[1],
        reason=reason,
        evidence=evidence,
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        # A container's user often has a number and no name.
        return str(os.getuid())
