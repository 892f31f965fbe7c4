"""history.jsonl: one line per promotion or rollback: version, user, time and reason. No line is changed later."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Self

from serving.codec import FormatError, from_json, parse, to_json
from serving.files import append_line

Action = Literal["promote", "rollback"]


@dataclass(frozen=True)
class Difference:
    """How a candidate differed from the champion on the same test images.

    Attributes:
        gained: images that only the candidate predicted correctly.
        lost: images that only the champion predicted correctly.
        value: the candidate's accuracy minus the champion's, -1 to 1.
        low: the lower end of the 90 % interval of the difference.
        high: its upper end.
    """

    gained: int
    lost: int
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Evidence:
    """The artifacts that passed the gates for a version.

    Attributes:
        run: the run that made the version.
        evaluation_sha256: the digest of its evaluation.
        verification_sha256: the digest of its verification.
        accuracy: fraction of the test images with a correct prediction.
        test_sha256: the digest of these test images and labels.
        weights_sha256: the digest of the weights; several bundles can have the same weights.
        difference: to the champion of that time; None if there was none, if they were not compared, or in a rollback.
    """

    run: str
    evaluation_sha256: str
    verification_sha256: str
    accuracy: float
    test_sha256: str
    weights_sha256: str
    difference: Difference | None = None


_EVIDENCE = tuple(item.name for item in fields(Evidence))


@dataclass(frozen=True)
class PromotionEvent:
    """One promotion or rollback.

    Attributes:
        sequence: 1, 2, …; the order of the events of one model, independent of any clock.
        action: `promote`, or `rollback` to a version that served before.
        time: ISO 8601 in UTC; only shown, never compared.
        user: the login name of the person or service.
        host: the machine's name.
        manual: whether a person asked for it; a manual promotion accepts that earlier events are missing.
        from_version: the version that served before; None if there was none.
        from_sha256: its digest.
        to_version: the version that serves from then on.
        bundle_sha256: its digest.
        reason: the text of the person, or the comparison that passed.
        evidence: the evidence for `to_version`.
    """

    # A newer release may add fields.
    IGNORES_UNKNOWN = True

    sequence: int
    action: Action
    time: str
    user: str
    host: str
    manual: bool = field(metadata={"key": "by_hand"})
    from_version: int | None = field(metadata={"key": "from"})
    from_sha256: str | None
    to_version: int = field(metadata={"key": "to"})
    bundle_sha256: str
    reason: str
    evidence: Evidence

    def __post_init__(self) -> None:
        numbers = [self.sequence, self.to_version] + ([] if self.from_version is None else [self.from_version])
        if min(numbers) < 1:
            raise ValueError("sequence, from and to start at 1")
        if not 0 <= self.evidence.accuracy <= 1:
            raise ValueError(f"accuracy {self.evidence.accuracy} is not a fraction")

    def to_json(self) -> dict[str, Any]:
        """The event as one flat JSON object."""
        data = to_json(self)
        evidence: dict[str, Any] = data.pop("evidence")
        return {**data, **evidence}

    @classmethod
    def from_json(cls, data: dict[str, Any], where: str) -> Self:
        """The event from the JSON object that `to_json` returns. Raises: FormatError."""
        evidence = {name: data[name] for name in _EVIDENCE if name in data}
        return from_json(cls, {**data, "evidence": evidence}, where)


@dataclass(frozen=True)
class PromotionEvents:
    """All promotion events of one model, oldest first.

    Attributes:
        events: those that can be read.
        damaged: the numbers of the lines that cannot be read; the first line is 1.
    """

    events: tuple[PromotionEvent, ...]
    damaged: tuple[int, ...] = ()

    @property
    def last(self) -> PromotionEvent | None:
        """The latest event; None if there is none."""
        return self.events[-1] if self.events else None

    def with_last(self, event: PromotionEvent) -> Self:
        """Adds the pointer's event unless it is here: a promotion may have been killed before it wrote its line."""
        known = any(event.sequence == other.sequence for other in self.events)
        return self if known else replace(self, events=(*self.events, event))

    def rolled_back(self) -> dict[str, PromotionEvent]:
        """The rollback that blocks each bundle, by the bundle's digest. A bundle that serves again is unblocked."""
        blocked: dict[str, PromotionEvent] = {}
        for event in self.events:
            if event.action == "rollback" and event.from_sha256 is not None:
                blocked[event.from_sha256] = event
            blocked.pop(event.bundle_sha256, None)
        return blocked

    def blocking(self, bundle_sha256: str, weights_sha256: str) -> PromotionEvent | None:
        """The rollback that blocks this bundle or another bundle with these weights; None if there is none."""
        blocked = self.rolled_back()
        events = [event for event in self.events if event.bundle_sha256 in blocked]
        weights = {event.evidence.weights_sha256: blocked[event.bundle_sha256] for event in events}
        return blocked.get(bundle_sha256) or weights.get(weights_sha256)

    def missing(self) -> list[int]:
        """The missing sequence numbers after the last manual promotion; that promotion accepts the earlier gaps."""
        known = {event.sequence for event in self.events}
        last = max(known, default=0)
        accepted = max((e.sequence for e in self.events if e.manual and e.action == "promote"), default=0)
        return [number for number in range(accepted + 1, last) if number not in known]

    def previous(self) -> PromotionEvent | None:
        """The latest event of another bundle that is not blocked, to roll back to; None if there is none."""
        blocked = self.rolled_back()
        for event in reversed(self.events):
            if self.last is not None and event.bundle_sha256 not in (self.last.bundle_sha256, *blocked):
                return event
        return None

    def last_to(self, version: int) -> PromotionEvent | None:
        """The latest event that made a version serve; None if it never served."""
        return next((event for event in reversed(self.events) if event.to_version == version), None)


def read_promotion_events(file: Path) -> PromotionEvents:
    """Reads history.jsonl. A last line without a line end was not written completely and does not count."""
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return PromotionEvents(())
    events, damaged = [], []
    for number, line in enumerate(content.split(b"\n")[:-1], start=1):
        where = f"{file}, line {number}"
        try:
            events.append(PromotionEvent.from_json(parse(dict[str, Any], line, where), where))
        except FormatError:
            damaged.append(number)
    return PromotionEvents(tuple(events), tuple(damaged))


def append_event(file: Path, event: PromotionEvent) -> None:
    """Adds an event to history.jsonl; it is on the disk when this returns."""
    append_line(file, json.dumps(event.to_json(), sort_keys=True, ensure_ascii=False, allow_nan=False))


def next_event(
    events: PromotionEvents,
    current: PromotionEvent | None,
    action: Action,
    to: tuple[int, str],
    reason: str,
    evidence: Evidence,
    manual: bool,
) -> PromotionEvent:
    """The next event, with the present user, host and time.

    `current` is the event of the version that serves now, `to` the version that serves from then on, and its digest.
    """
    return PromotionEvent(
        sequence=max((event.sequence for event in events.events), default=0) + 1,
        action=action,
        time=datetime.now(UTC).isoformat(timespec="seconds"),
        user=_user(),
        host=os.uname().nodename,
        manual=manual,
        from_version=None if current is None else current.to_version,
        from_sha256=None if current is None else current.bundle_sha256,
        to_version=to[0],
        bundle_sha256=to[1],
        reason=reason,
        evidence=evidence,
    )


def _user() -> str:
    # This import takes a third of the time of all others, and scoring never needs it.
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):
        # A container's user often has a number and no name.
        return str(os.getuid())
