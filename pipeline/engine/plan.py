"""Steps -> outcomes: first those that need no execution, then the others, under Beam."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from components.beam import BeamOptions
from components.run_context import RunContext
from pipeline.engine.execute import Execution, execute, resolve
from pipeline.engine.libraries import import_beam, import_tensorflow, need_tensorflow
from pipeline.engine.outcome import Outcome, Outcomes, log_outcome
from pipeline.engine.step import InnerStep, Step
from pipeline.engine.store import Store

if TYPE_CHECKING:
    from apache_beam.runners.runner import PipelineResult

METRICS = "beamline.steps"


def plan(steps: tuple[Step, ...], store: Store, context: RunContext) -> Outcomes:
    """The outcomes that need no execution, of every step whose sources have an outcome.

    Raises: InputError: data outside the store are not valid.
    """
    outcomes: dict[str, Outcome] = {}
    for step in steps:
        if step.sources.keys() <= outcomes.keys():
            outcome = resolve(step, outcomes, store, context)
            if outcome is not None:
                outcomes[step.name] = outcome
    return outcomes


def complete(steps: tuple[Step, ...], outcomes: Outcomes, store: Store, execution: Execution) -> Outcomes:
    """The outcomes of all steps. Executes those that are not in `outcomes`; only these need Beam."""
    missing = tuple(step for step in steps if step.name not in outcomes)
    if missing:
        if need_tensorflow(_without_output(missing, outcomes, store, execution)):
            # While other processes decode pictures, this one imports what later steps need.
            execution = replace(execution, context=replace(execution.context, meanwhile=import_tensorflow))
        outcomes, _ = run_steps(missing, outcomes, store, execution)
    return {step.name: outcomes[step.name] for step in steps}


def _without_output(steps: Iterable[Step], outcomes: Outcomes, store: Store, execution: Execution) -> Iterator[Step]:
    """The steps that are to be executed, and their inner steps, if they are to be executed too."""
    for step in steps:
        inner = isinstance(step, InnerStep) and not execution.force and step.sources.keys() <= outcomes.keys()
        if not inner or resolve(step, outcomes, store, execution.context) is None:
            yield step
            yield from _without_output(step.inner, outcomes, store, execution)


def run_steps(
    steps: tuple[Step, ...], outcomes: Outcomes, store: Store, execution: Execution
) -> tuple[Outcomes, PipelineResult]:
    """Runs steps one after the other, in this process; `execution.beam` is for the jobs inside the steps.

    Returns:
        The outcomes of all steps, with the earlier ones in `outcomes`, and Beam's result, whose metrics have a
        counter for each step.
    """
    import_beam()
    import apache_beam

    def build(pipeline: apache_beam.Pipeline) -> dict[str, apache_beam.PCollection[dict[str, Outcome]]]:
        element = pipeline | "begin" >> apache_beam.Create([dict(outcomes)], reshuffle=False)
        for step in steps:
            element = element | step.name >> apache_beam.Map(add_outcome, step=step, store=store, execution=execution)
        return {"outcomes": element}

    with _temporary_folder() as folder:
        results, beam_result = BeamOptions().collect(build, folder)
    (outcomes,) = results["outcomes"]
    return outcomes, beam_result


def add_outcome(outcomes: dict[str, Outcome], step: Step, store: Store, execution: Execution) -> dict[str, Outcome]:
    """The outcomes so far, with that of this step."""
    from apache_beam.metrics import Metrics

    outcome = execute(step, outcomes, store, execution)
    Metrics.counter(METRICS, step.name).inc()
    Metrics.counter(METRICS, outcome.outcome).inc()
    log_outcome(outcome, execution.explain)
    so_far = {**outcomes, step.name: outcome}
    execution.after(so_far)
    return so_far


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    """A folder for all temporary files of a run.

    Libraries delete their temporary files when the interpreter shuts down, but the command line ends with `os._exit`,
    which skips this.
    """
    outer = tempfile.tempdir
    with tempfile.TemporaryDirectory(prefix="beamline-", ignore_cleanup_errors=True) as folder:
        tempfile.tempdir = folder
        try:
            yield Path(folder)
        finally:
            tempfile.tempdir = outer
