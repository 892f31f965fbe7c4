"""A run's record and artifacts -> its result: an entry of a comparison, and the correct predictions on the test set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from components import train
from components.artifacts.bundle import Bundle as BundleArtifact
from components.artifacts.evaluation import Evaluation
from components.artifacts.examples import Examples
from components.artifacts.model import Model
from pipeline.comparison.comparison import Entry, Verdict
from pipeline.engine.outcome import Outcome, stopping
from pipeline.engine.store import Store
from pipeline.records.run_artifacts import RunArtifacts
from pipeline.records.run_history import Record
from serving.bundle.bundle import ONNX, Bundle
from serving.errors import BeamlineError


@dataclass(frozen=True)
class Result:
    """The result of one run.

    Attributes:
        entry: for the comparison, without the rate.
        test_sha256: digest of the images and labels of the test set; None if nothing was evaluated.
        correct: bool (n,), whether the model classifies each test image correctly; None if nothing was evaluated.
        examples: the data; None if nothing was evaluated.
        bundle: None if nothing was exported.
    """

    entry: Entry
    test_sha256: str | None = None
    correct: npt.NDArray[np.bool_] | None = None
    examples: Examples | None = None
    bundle: Bundle | None = None


def read_result(preset: str, record: Record | None, code: int, records: Sequence[Record], store: Store) -> Result:
    """Reads the result of a run.

    Args:
        preset: its name.
        record: the run's; None if its process ended before it wrote one.
        code: exit code of the process.
        records: all runs, oldest first; one of them may have trained the model.
        store: has the artifacts.
    """
    ended = (f"its run did not finish (exit code {code}): run this preset alone to see why",)
    if record is None:
        return Result(Entry(preset, None, "failed", reasons=ended))
    artifacts = RunArtifacts(record, store)
    stopped = stopping(artifacts.outcomes)
    # Any other verdict (running, killed, failed, interrupted) means that the run did not end properly.
    verdict: Verdict = "failed"
    if record.verdict in ("passed", "promoted", "refused"):
        verdict = "passed" if stopped is None else "refused"
    if stopped is None:
        entry = Entry(preset, record.run, verdict, reasons=() if verdict == "passed" else ended)
    else:
        entry = Entry(preset, record.run, verdict, stopped.name, stopped.reasons)
    if verdict == "failed" or "evaluate" not in artifacts.digests:
        return Result(entry)
    try:
        return _evaluated_result(entry, artifacts, records)
    except BeamlineError as error:
        return Result(Entry(preset, record.run, "failed", reasons=(str(error),)))


def _evaluated_result(entry: Entry, artifacts: RunArtifacts, records: Sequence[Record]) -> Result:
    model = artifacts.load("train", Model)
    evaluation = artifacts.load("evaluate", Evaluation)
    examples = artifacts.load("ingest", Examples)
    bundle = artifacts.load("export", BundleArtifact).opened() if "export" in artifacts.digests else None
    # A resumed training has no record of its total duration.
    trained = None if model.resumed() else training_run(artifacts.record, records)
    entry = replace(
        entry,
        layers=describe_layers(model),
        epochs=model.recipe["epochs"],
        batch_size=model.recipe["batch_size"],
        parameters=model.parameters,
        rows=evaluation.rows,
        correct=evaluation.correct,
        interval=evaluation.interval,
        training_seconds=None if trained is None else _step(trained, "train").seconds,
        run_seconds=None if trained is None else trained.seconds,
        onnx_bytes=None if bundle is None else len(bundle.read(ONNX)),
    )
    correct = evaluation.predictions() == examples.all_labels("test")
    return Result(entry, evaluation.test_sha256, correct, examples, bundle)


def training_run(record: Record, records: Sequence[Record]) -> Record | None:
    """The newest run that executed the training of a run's model; None if no record has it."""
    trained = _step(record, "train").artifact
    for other in reversed(records):
        for outcome in other.steps:
            if (outcome.name, outcome.outcome, outcome.artifact) == ("train", "executed", trained):
                return other
    return None


def _step(record: Record, name: str) -> Outcome:
    return next(outcome for outcome in record.steps if outcome.name == name)


def describe_layers(model: Model) -> str:
    """The layers from input to output, joined by arrows."""
    values = {name: value for name, value in model.recipe.items() if name not in ("shape", "classes")}
    recipe, (height, width, channels) = train.Params(**values), model.recipe["shape"]
    layers = [f"{height}×{width}×{channels}" if recipe.convolutions else str(height * width * channels)]
    for filters in recipe.convolutions:
        layers += [f"{filters} 3×3 convolutions {recipe.hidden_activation}", "max-pooling"]
    layers += [f"{units} {recipe.hidden_activation}" for units in recipe.hidden]
    layers += [f"dropout {recipe.dropout:g}"] * bool(recipe.dropout)
    return " → ".join([*layers, f"{model.recipe['classes']} {recipe.output_activation}"])
