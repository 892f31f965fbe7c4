"""What differs: a step's key from the last time, which is why it was executed; one run from another."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from pipeline.history import History, Record
from pipeline.outcome import Outcome
from pipeline.step import Parts
from pipeline.store import Store

ABSENT = "none"


def why(step: str, parts: Parts, store: Store, model: str) -> tuple[str, ...]:
    """What differs from what the model's newest run made its artifact of this step from, and which run that was.

    Args:
        step: the step's name.
        parts: what its output depends on now.
        store: whose history is looked at.
        model: whose runs count; what another model is made of is no reason.
    """
    last = History(store.root).last_artifact(step, model)
    if last is None:
        return (f"no earlier run of {model} has made it",)
    run, folder = last
    before = store.stored(store.root / "artifacts" / folder)
    if before is None:
        return (f"what run {run} had, {folder}, is gone or has no whole record",)
    changed = changes(before.parts, parts) or ("nothing that its key is made of",)
    return tuple(f"{change} since run {run}" for change in changed)


def changes(old: Mapping[str, Mapping[str, Any]], new: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    """What differs between two mappings of mappings, one line each: where, the old value, the new one."""
    found = []
    for part in sorted(old.keys() | new.keys()):
        before, after = old.get(part, {}), new.get(part, {})
        for name in sorted(before.keys() | after.keys()):
            # As JSON has it, so that what was stored equals what is at hand.
            was, now = (_json(values[name]) if name in values else ABSENT for values in (before, after))
            if was != now:
                found.append(f"{part} {name}: {_short(was)} -> {_short(now)}")
    return tuple(found)


def differences(old: Record, new: Record, store: Store) -> list[str]:
    """What differs between two runs, for a person to read: what they were told, then each step.

    Args:
        old: the one that is gone from.
        new: the one that is arrived at.
        store: which has their artifacts, as far as they are kept.
    """
    told = changes(_told(old), _told(new))
    names = [outcome.name for outcome in new.steps] or [outcome.name for outcome in old.steps]
    before, after = ({outcome.name: outcome for outcome in record.steps} for record in (old, new))
    both = [name for name in names if name in before and name in after]
    same = [name for name in both if _digest(before[name]) == _digest(after[name])]
    steps = [line for name in names if name not in same for line in _step(before.get(name), after.get(name), store)]
    ending = [f"the same in both: {', '.join(same)}"] if same else []
    return [f"run {old.run} -> run {new.run}", *told, *steps, *ending]


def _told(record: Record) -> dict[str, dict[str, Any]]:
    whole = {"verdict": record.verdict, **{name: v for name, v in record.config.items() if not isinstance(v, dict)}}
    parts = {name: v for name, v in record.config.items() if isinstance(v, dict)}
    return {"run": whole, **parts, "environment": dict(record.environment)}


def _digest(outcome: Outcome) -> str:
    """What a step came to: the content that it made, or how it made none."""
    return outcome.sha256 or outcome.outcome


def _step(old: Outcome | None, new: Outcome | None, store: Store) -> list[str]:
    name = next(outcome.name for outcome in (old, new) if outcome is not None)
    was, now = (ABSENT if outcome is None else _short(_json(_digest(outcome))) for outcome in (old, new))
    lines = [f"{name}: {was} -> {now}"]
    stored = [
        store.stored(store.root / "artifacts" / outcome.artifact) if outcome and outcome.artifact else None
        for outcome in (old, new)
    ]
    if stored[0] is not None and stored[1] is not None:
        lines += [f"  {change}" for change in changes(stored[0].parts, stored[1].parts)]
    for word, outcome in (("was", old), ("now", new)):
        if outcome is not None:
            lines.append(f"  {word}: {outcome.summary or '; '.join(outcome.reasons)}")
    return lines


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _short(value: str) -> str:
    """A digest by its beginning, everything else whole."""
    return re.sub(r'"([0-9a-f]{12})[0-9a-f]{52}"', r"\1", value)
