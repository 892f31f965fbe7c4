"""What differs between two keys, or between two mappings of mappings: why a step is executed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.engine.step import Parts

ABSENT = "none"


@dataclass(frozen=True)
class Previous:
    """A step's last artifact in the runs of one model.

    Attributes:
        run: the number of the run.
        artifact: the artifact's name in the store.
        parts: what its key was computed from; None if the artifact is gone or its record is damaged.
    """

    run: str
    artifact: str
    parts: Parts | None


def reasons_to_execute(key_parts: Parts, previous: Previous | None, model: str) -> tuple[str, ...]:
    """Why a step is executed: what differs from its last artifact in the runs of this model, one sentence each."""
    if previous is None:
        return (f"no earlier run of {model} has made it",)
    if previous.parts is None:
        return (f"{previous.artifact} of run {previous.run} is gone or its record is damaged",)
    changed = changes(previous.parts, key_parts)
    if not changed:
        return (f"no part of its key changed since run {previous.run}",)
    return tuple(f"{change} since run {previous.run}" for change in changed)


def changes(old: Mapping[str, Mapping[str, Any]], new: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    """What differs between two mappings of mappings, one line each: the name, the old value, the new one."""
    found = []
    for part in sorted(old.keys() | new.keys()):
        before, after = old.get(part, {}), new.get(part, {})
        for name in sorted(before.keys() | after.keys()):
            # Both as JSON: one of them was stored so.
            was, now = (as_json(values[name]) if name in values else ABSENT for values in (before, after))
            if was != now:
                found.append(f"{part} {name}: {shortened(was)} -> {shortened(now)}")
    return tuple(found)


def as_json(value: Any) -> str:
    """The value as JSON, with sorted keys."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def shortened(value: str) -> str:
    """The text with every digest cut to its first 12 digits."""
    return re.sub(r'"([0-9a-f]{12})[0-9a-f]{52}"', r"\1", value)
