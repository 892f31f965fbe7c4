"""One step: found in the store, or executed; never run on a refusal."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from components.artifacts.artifact import Artifact
from pipeline.explain import why
from pipeline.options import Request
from pipeline.outcome import Kind, Made, Outcome
from pipeline.progress import begin
from pipeline.step import Parts, Step
from pipeline.store import PAYLOAD, Store, Stored
from serving.errors import BeamlineError
from serving.interrupts import Terminated

log = logging.getLogger("beamline.pipeline")


def resolve(step: Step, made: Made, store: Store, force: bool = False) -> Outcome | None:
    """What becomes of a step without running it: refused, skipped, settled or cached.

    Neither TensorFlow nor Beam is needed to know it.

    Args:
        step: of which all inputs were made.
        made: the outcomes so far, by step.
        store: where to look.
        force: look neither there nor at what is settled.

    Returns:
        None where the step has to be executed.

    Raises:
        InputError: the outside that the step reads is not what it should be.
    """
    sources = [made[source.name] for source in step.inputs.values()]
    for source in sources:
        if source.outcome in ("failed", "skipped"):
            blame = source.name if source.outcome == "failed" else source.reasons[0].removesuffix(" failed")
            return Outcome(step.name, "skipped", reasons=(f"{blame} failed",))
        if source.outcome == "refused":
            return Outcome(step.name, "refused", reasons=source.reasons)
        if not source.passed:
            return Outcome(
                step.name, "refused", reasons=tuple(f"refused by {source.name}: {r}" for r in source.reasons)
            )
    if force:
        return None
    settled = step.component.hook("settled")
    if settled is not None:
        # What the world says decides alone: the store would only remember what it said once.
        said = settled(**_taken("settled", step, made, store), params=step.params)
        return None if said is None else Outcome(step.name, "cached", passed=True, reasons=(said,), summary=said)
    fingerprint = step.fingerprint(_taken("fingerprint", step, made, store))
    if fingerprint is None:
        return None
    return _found(step, step.key(_parts(step, made, fingerprint)), store)


def execute(step: Step, made: Made, store: Store, request: Request) -> Outcome:
    """Resolves a step, or runs it and commits what it made. A failure is an outcome too, never an exception."""
    started = time.perf_counter()
    try:
        outcome = resolve(step, made, store, request.force) or _run(step, made, store, request)
    except BeamlineError as error:
        log.debug("%s failed", step.name, exc_info=True)
        outcome = _failed(step, str(error), error.exit_code)
    except SystemExit:
        # Beam parses its own arguments, and leaves the process where it does not take them.
        outcome = _failed(step, "Beam does not take the arguments after --: its own words are in the log", 2)
    except KeyboardInterrupt:
        outcome = _failed(step, "interrupted", 130)
    except Terminated as stop:
        outcome = _failed(step, "terminated", stop.exit_code)
    except Exception as error:
        log.debug("%s failed", step.name, exc_info=True)
        outcome = _failed(step, f"{type(error).__name__}: {error}", 1)
    return replace(outcome, seconds=round(time.perf_counter() - started, 3))


def _run(step: Step, made: Made, store: Store, request: Request) -> Outcome:
    begin(step.name)
    for name, source in step.inputs.items():
        if (damage := _damage(made[source.name], source, store)) is not None:
            return Outcome(step.name, "refused", reasons=(f"refused {name}: {damage}",))
    if (prepare := step.component.hook("prepare")) is not None:
        prepare(step.params)
    taken = _taken("fingerprint", step, made, store)
    fingerprint = step.fingerprint(taken)
    if fingerprint is None:
        raise BeamlineError(f"{step.name} was prepared, and still what it reads is not there: {step.params}")
    parts = _parts(step, made, fingerprint)
    key = step.key(parts)
    because = ("--force",) if request.force else why(step.name, parts, store, request.config.model)
    with store.staging(step.name, key) as out:
        # Another run may have made the same while this one prepared, or waited for the lock.
        settles = step.component.hook("settled") is not None
        if not (request.force or settles) and (found := _found(step, key, store)) is not None:
            return found
        given: dict[str, Any] = {name: _load(source, made, store) for name, source in step.inputs.items()}
        if step.params is not None:
            given["params"] = step.params
        if step.component.beam is not None:
            given[step.component.beam] = request.config.beam
        step.component.module.run(**given, out=out)
        if step.fingerprint(taken) != fingerprint:
            raise BeamlineError(f"what {step.name} reads changed while it was read: run it again")
        return replace(_outcome(step, "executed", store.commit(step.name, key, parts)), because=because)


def _damage(outcome: Outcome, step: Step, store: Store) -> str | None:
    """Why an artifact may not be consumed: its bytes are no longer those that were committed."""
    path = _path(outcome, store)
    stored = store.stored(path.parent)
    if stored is not None and (what := stored.damage()) is None:
        return None
    found = "its record is gone" if stored is None else what
    return f"the artifact of {step.name} is not as it was committed ({found}): delete {path.parent} and run again"


def _taken(hook: str, step: Step, made: Made, store: Store) -> dict[str, Artifact]:
    """The inputs that a hook of a step takes, by name."""
    return {name: _load(step.inputs[name], made, store) for name in step.component.taken(hook)}


def _load(source: Step, made: Made, store: Store) -> Artifact:
    return source.component.output.load(_path(made[source.name], store))


def _path(outcome: Outcome, store: Store) -> Path:
    assert outcome.artifact is not None, f"{outcome.name} has no artifact"
    return store.root / "artifacts" / outcome.artifact / PAYLOAD


def _parts(step: Step, made: Made, fingerprint: Mapping[str, str]) -> Parts:
    digests = {name: str(made[source.name].sha256) for name, source in step.inputs.items()}
    return step.parts(digests, fingerprint)


def _found(step: Step, key: str, store: Store) -> Outcome | None:
    """What the store has under a key; an artifact that cannot be read is none, and is made again."""
    stored = store.find(step.name, key)
    if stored is None:
        return None
    try:
        return _outcome(step, "cached", stored)
    except (OSError, ValueError, KeyError, TypeError):
        log.debug("%s cannot be read", stored.path, exc_info=True)
        return None


def _outcome(step: Step, kind: Kind, stored: Stored) -> Outcome:
    artifact = step.component.output.load(stored.path)
    return Outcome(
        step.name,
        kind,
        artifact=stored.folder,
        sha256=stored.sha256,
        passed=artifact.passed,
        reasons=artifact.reasons,
        summary=artifact.summary(),
    )


def _failed(step: Step, reason: str, exit_code: int) -> Outcome:
    return Outcome(step.name, "failed", reasons=(reason,), exit_code=exit_code)
