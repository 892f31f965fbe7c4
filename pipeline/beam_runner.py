"""Steps -> outcomes: the steps in sequence under a Beam runner, the element being what was made so far."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from components.beam import BeamOptions
from pipeline.execute import execute
from pipeline.options import Request
from pipeline.outcome import Made, Outcome
from pipeline.progress import tell
from pipeline.step import Step
from pipeline.store import Store

if TYPE_CHECKING:
    from apache_beam.runners.runner import PipelineResult

METRICS = "beamline.steps"


def run_steps(steps: tuple[Step, ...], made: Made, store: Store, request: Request) -> tuple[Made, PipelineResult]:
    """Runs steps one after the other, in this process.

    Args:
        steps: in an order in which each comes after those whose outputs it takes.
        made: the outcomes of all earlier steps, by step.
        store: where artifacts are found and committed.
        request: what the data-parallel jobs inside of the steps run on, while the sequence itself stays here;
            whether to execute also what the store has, and to say why a step is executed.

    Returns:
        The outcomes of all steps, and Beam's result, in whose metrics each step counts itself.
    """
    import apache_beam

    # Beam hands back no elements: the last transform leaves them where this function finds them.
    with _scratch() as folder:
        handed_back = folder / "outcomes.json"

        def build(pipeline: apache_beam.Pipeline) -> None:
            element = pipeline | "begin" >> apache_beam.Create([dict(made)], reshuffle=False)
            for step in steps:
                element = element | step.name >> apache_beam.Map(add_artifact, step=step, store=store, request=request)
            element | "hand back" >> apache_beam.Map(_hand_back, file=handed_back)

        result = BeamOptions().run(build)
        said = json.loads(handed_back.read_text(encoding="utf-8"))
    outcomes = [Outcome.from_json(entry) for entry in said]
    return {outcome.name: outcome for outcome in outcomes}, result


def add_artifact(made: dict[str, Outcome], step: Step, store: Store, request: Request) -> dict[str, Outcome]:
    """What was made so far, and what this step adds to it."""
    from apache_beam.metrics import Metrics

    outcome = execute(step, made, store, request)
    Metrics.counter(METRICS, step.name).inc()
    Metrics.counter(METRICS, outcome.outcome).inc()
    tell(outcome, request.explain)
    return {**made, step.name: outcome}


def _hand_back(made: dict[str, Outcome], file: Path) -> None:
    file.write_text(json.dumps([asdict(outcome) for outcome in made.values()]), encoding="utf-8")


@contextmanager
def _scratch() -> Iterator[Path]:
    """A folder for every temporary file of a run.

    Libraries remove theirs as the interpreter takes itself apart, and the command line does not wait for that.
    """
    outer = tempfile.tempdir
    with tempfile.TemporaryDirectory(prefix="beamline-", ignore_cleanup_errors=True) as folder:
        tempfile.tempdir = folder
        try:
            yield Path(folder)
        finally:
            tempfile.tempdir = outer
