"""What differs between two runs."""

from __future__ import annotations

from typing import Any

from pipeline.engine.changes import ABSENT, as_json, changes, shortened
from pipeline.engine.outcome import Outcome
from pipeline.engine.store import Store
from pipeline.records.run_history import Record


def differences(old: Record, new: Record, store: Store) -> list[str]:
    """What differs between two runs, one line each: the configuration, then each step."""
    configuration = changes(_configuration(old), _configuration(new))
    names = [outcome.name for outcome in new.steps] or [outcome.name for outcome in old.steps]
    before, after = ({outcome.name: outcome for outcome in record.steps} for record in (old, new))
    both = [name for name in names if name in before and name in after]
    same = [name for name in both if _digest(before[name]) == _digest(after[name])]
    steps = [line for name in names if name not in same for line in _step(before.get(name), after.get(name), store)]
    ending = [f"the same in both: {', '.join(same)}"] if same else []
    return [f"run {old.run} -> run {new.run}", *configuration, *steps, *ending]


def _configuration(record: Record) -> dict[str, dict[str, Any]]:
    whole = {"verdict": record.verdict, **{name: v for name, v in record.config.items() if not isinstance(v, dict)}}
    parts = {name: v for name, v in record.config.items() if isinstance(v, dict)}
    return {"run": whole, **parts, "environment": dict(record.environment)}


def _digest(outcome: Outcome) -> str:
    """The digest of a step's artifact; without an artifact, its outcome."""
    return outcome.sha256 or outcome.outcome


def _step(old: Outcome | None, new: Outcome | None, store: Store) -> list[str]:
    name = next(outcome.name for outcome in (old, new) if outcome is not None)
    was, now = (ABSENT if outcome is None else shortened(as_json(_digest(outcome))) for outcome in (old, new))
    lines = [f"{name}: {was} -> {now}"]
    before, after = ({} if outcome is None else _artifacts(outcome) for outcome in (old, new))
    for step in (step for step in after if step in before):
        stored = [store.by_name(artifacts[step]) for artifacts in (before, after)]
        if stored[0] is not None and stored[1] is not None:
            found = changes(stored[0].parts, stored[1].parts)
            lines += [f"  {change}" if step == name else f"  {step}: {change}" for change in found]
    for label, outcome in (("was", old), ("now", new)):
        if outcome is not None:
            lines.append(f"  {label}: {outcome.summary or '; '.join(outcome.reasons)}")
    return lines


def _artifacts(outcome: Outcome) -> dict[str, str]:
    """The names of the artifacts of a step and of its inner steps, by step."""
    named = {} if outcome.artifact is None else {outcome.name: outcome.artifact}
    return named | {artifact.rpartition("-")[0]: artifact for artifact in outcome.inner}
