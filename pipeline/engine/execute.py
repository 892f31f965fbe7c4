"""The outcome of one step: taken from the store, or executed; refused or skipped because of its inputs."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from components.artifacts.artifact import Artifact
from components.beam import BeamOptions
from components.run_context import RunContext
from pipeline.engine.changes import Previous, reasons_to_execute
from pipeline.engine.component import Function
from pipeline.engine.libraries import import_tensorflow, need_tensorflow
from pipeline.engine.machine_failure import explain_failures
from pipeline.engine.outcome import Kind, Outcome, Outcomes, log_begin
from pipeline.engine.step import InnerStep, Parts, Step
from pipeline.engine.store import Store, Stored
from serving.errors import BeamlineError
from serving.faults.wording import Writing
from serving.files import size_bytes
from serving.interrupts import Terminated

log = logging.getLogger("beamline.pipeline")


def _nothing(outcomes: Outcomes) -> None:
    """Most callers only want the outcomes at the end."""


@dataclass(frozen=True)
class Execution:
    """All that the engine needs to know of a run, besides its steps and its store.

    Attributes:
        context: names and places of the run.
        beam: the runner of the data-parallel jobs.
        force: execute every step, even if the store has its output.
        explain: print why each step is executed.
        previous: the last artifact of each step, by step; a step that was never executed is not in it.
        places: the folders that the steps write to, by the flag that names each, for messages about a full disk.
        after: called after each step, with the outcomes so far.
    """

    context: RunContext = field(default_factory=RunContext)
    beam: BeamOptions = field(default_factory=BeamOptions)
    force: bool = False
    explain: bool = False
    previous: Mapping[str, Previous] = field(default_factory=dict)
    places: Mapping[str, Path] = field(default_factory=dict)
    after: Callable[[Outcomes], object] = _nothing


def resolve(step: Step, outcomes: Outcomes, store: Store, context: RunContext) -> Outcome | None:
    """The outcome of a step that needs no execution: refused, skipped, up to date or cached; else None.

    All its sources have an outcome in `outcomes`. Neither TensorFlow nor Beam is needed.
    Raises: InputError: data outside the store that the step reads are not valid.
    """
    if (stopped := _stopped(step, outcomes)) is not None:
        return stopped
    inner: dict[str, Outcome] = {}
    for one in step.inner:
        if (outcome := resolve(one, outcomes, store, context)) is None:
            return None
        inner[one.name] = outcome
    outcomes = {**outcomes, **inner}
    if (hook := step.component.up_to_date) is not None:
        # Only this hook decides: an artifact says what was true at its commit, not what is true now.
        message = hook(step.params, context, **_inputs(hook, step, outcomes, store))
        return (
            None if message is None else Outcome(step.name, "cached", passed=True, reasons=(message,), summary=message)
        )
    fingerprint = _fingerprint(step, outcomes, store, context)
    if fingerprint is None:
        return None
    found = _found(step, step.key(_key_parts(step, outcomes, fingerprint)), store)
    return None if found is None else found.with_inner(inner)


def execute(step: Step, outcomes: Outcomes, store: Store, execution: Execution) -> Outcome:
    """The outcome of a step: what `resolve` finds, unless the run is forced; otherwise it runs the step and commits.

    A failure is an outcome too, never an exception.
    """
    started = time.perf_counter()
    try:
        with explain_failures(execution.places, execution.context.model):
            known = _stopped(step, outcomes) if execution.force else resolve(step, outcomes, store, execution.context)
            outcome = known or _run(step, outcomes, store, execution)
    except BeamlineError as error:
        log.debug("%s failed", step.name, exc_info=True)
        outcome = _failed(step, str(error), error.exit_code)
    except SystemExit:
        # Beam parses its own arguments, and exits the process if they are wrong.
        reason = "Beam refuses the arguments after -- (Beam's message is in the log): correct them and run again"
        outcome = _failed(step, reason, 2)
    except KeyboardInterrupt:
        outcome = _failed(step, "interrupted", 130)
    except Terminated as stop:
        outcome = _failed(step, "terminated", stop.exit_code)
    except Exception as error:
        log.debug("%s failed", step.name, exc_info=True)
        outcome = _failed(step, f"{type(error).__name__}: {error}", 1)
    return replace(outcome, seconds=round(time.perf_counter() - started, 3))


def _stopped(step: Step, outcomes: Outcomes) -> Outcome | None:
    """The outcome of a step that must not run because of its inputs; None if it may run."""
    for source in (outcomes[name] for name in step.sources):
        if source.outcome in ("failed", "skipped"):
            failed = source.name if source.outcome == "failed" else source.reasons[0].removesuffix(" failed")
            return Outcome(step.name, "skipped", reasons=(f"{failed} failed",))
        if source.outcome == "refused":
            return Outcome(step.name, "refused", reasons=source.reasons)
        if not source.passed:
            reasons = tuple(f"refused by {source.name}: {reason}" for reason in source.reasons)
            return Outcome(step.name, "refused", reasons=reasons)
    return None


def _run(step: Step, outcomes: Outcomes, store: Store, execution: Execution) -> Outcome:
    """Executes a step whose output was not found, after those of its inner steps whose outputs are not found."""
    is_inner = isinstance(step, InnerStep)
    if not is_inner:
        log_begin(step.name)
    # The inner steps of an inner step belong to other steps too, which force them.
    of_inner = replace(execution, force=execution.force and not is_inner)
    inner: dict[str, Outcome] = {}
    for one in step.inner:
        inner[one.name] = outcome = execute(one, outcomes, store, of_inner)
        if not outcome.passed:
            return replace(outcome, name=step.name)
    outcome = _run_itself(step, {**outcomes, **inner}, store, execution)
    because = [reason for one in (*inner.values(), outcome) for reason in one.because]
    return replace(outcome.with_inner(inner), because=tuple(dict.fromkeys(because)))


def _run_itself(step: Step, outcomes: Outcomes, store: Store, execution: Execution) -> Outcome:
    component, context = step.component, execution.context
    for source in step.inputs.values():
        artifact = outcomes[source.name].artifact_name
        if (damage := store.damage(artifact)) is not None:
            reason = (
                f"the output of {source.name} was changed after it was stored ({damage}): "
                f"delete {store.artifact_folder(artifact)} and run again"
            )
            return Outcome(step.name, "refused", reasons=(reason,))
    if component.prepare is not None:
        component.prepare(step.params, context)
    fingerprint = _fingerprint(step, outcomes, store, context)
    if fingerprint is None:
        raise BeamlineError(
            f"{step.name}: its data are missing after they were prepared: check that nothing deletes them, then run "
            "again"
        )
    key_parts = _key_parts(step, outcomes, fingerprint)
    key = step.key(key_parts)
    because = reasons_to_execute(key_parts, execution.previous.get(step.name), context.model)
    with store.staging(step.name, key) as out:
        # Another run may have made the same artifact while this one prepared its data, or waited for the lock.
        findable = not execution.force and component.up_to_date is None
        if findable and (found := _found(step, key, store)) is not None:
            return found
        arguments: dict[str, Any] = {**_inputs(component.run, step, outcomes, store), "out": out}
        if component.run.beam_parameter is not None:
            arguments[component.run.beam_parameter] = execution.beam
        # Here the files are still there, which tell how much was written.
        writing = partial(_writing, step, out, store, execution)
        with explain_failures(execution.places, context.model, writing):
            if need_tensorflow([step]):
                import_tensorflow()
            component.run(step.params, context, **arguments)
            if _fingerprint(step, outcomes, store, context) != fingerprint:
                raise BeamlineError(
                    f"the data outside the store that {step.name} reads changed while it ran: "
                    "wait until nothing writes them, then run again"
                )
            outcome = _outcome(step, "executed", store.commit(step.name, key, key_parts))
    return replace(outcome, because=("--force",) if execution.force else because)


def _writing(step: Step, out: Path, store: Store, execution: Execution) -> Writing | None:
    """What a step that failed was writing; None if it cannot be read."""
    previous = execution.previous.get(step.name)
    with suppress(OSError):
        usual_bytes = 0 if previous is None else size_bytes(store.artifact_folder(previous.artifact))
        return Writing(store.root, size_bytes(out), usual_bytes)
    return None


def _inputs(function: Function, step: Step, outcomes: Outcomes, store: Store) -> dict[str, Artifact]:
    """The inputs that `run` or a hook takes, by name."""
    sources = {name: step.inputs[name] for name in function.inputs}
    return {name: s.component.output.load(store.payload(outcomes[s.name].artifact_name)) for name, s in sources.items()}


def _fingerprint(step: Step, outcomes: Outcomes, store: Store, context: RunContext) -> Mapping[str, str] | None:
    """Digests of the data outside the store that the step reads; None before `prepare` fetched the data."""
    hook = step.component.fingerprint
    if hook is None:
        return {}
    found: Mapping[str, str] | None = hook(step.params, context, **_inputs(hook, step, outcomes, store))
    return found


def _key_parts(step: Step, outcomes: Outcomes, fingerprint: Mapping[str, str]) -> Parts:
    digests = {name: str(outcomes[source.name].sha256) for name, source in step.inputs.items()}
    return step.parts(digests, fingerprint)


def _found(step: Step, key: str, store: Store) -> Outcome | None:
    """The cached outcome for a key; None if the artifact is missing or damaged: then the step makes it again.

    Raises: OSError: it cannot be read, and may be intact.
    """
    stored = store.by_key(step.name, key)
    if stored is None:
        return None
    try:
        return _outcome(step, "cached", stored)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, ValueError, KeyError, TypeError):
        log.debug("%s cannot be read", stored.payload, exc_info=True)
        return None


def _outcome(step: Step, kind: Kind, stored: Stored) -> Outcome:
    artifact = step.component.output.load(stored.payload)
    return Outcome(
        step.name,
        kind,
        artifact=stored.name,
        sha256=stored.sha256,
        passed=artifact.passed,
        reasons=artifact.reasons,
        summary=artifact.summary(),
    )


def _failed(step: Step, reason: str, exit_code: int) -> Outcome:
    return Outcome(step.name, "failed", reasons=(reason,), exit_code=exit_code)
