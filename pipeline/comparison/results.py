"""A run's record and artifacts -> what it came to: an entry of a comparison, and its outcome on every test image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

import serving.bundle
from components import train
from components.artifacts.bundle import Bundle
from components.artifacts.evaluation import Evaluation
from components.artifacts.examples import Examples
from components.artifacts.model import Model
from pipeline.comparison.comparison import Entry, Verdict
from pipeline.history import Record
from pipeline.kept import kept, lack
from pipeline.outcome import stopping
from pipeline.store import Store
from serving.errors import BeamlineError


@dataclass(frozen=True)
class Outcomes:
    """What a model says of the test images.

    Attributes:
        sha256: the digest of images and labels.
        correct: bool (n,), which of them get their own label.
    """

    sha256: str
    correct: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Result:
    """What one run came to.

    Attributes:
        entry: for the comparison, not yet with its rate.
        outcomes: None where nothing was evaluated.
        bundle: None where nothing was exported.
        examples: the data; None where there are none.
    """

    entry: Entry
    outcomes: Outcomes | None = None
    bundle: serving.bundle.Bundle | None = None
    examples: Examples | None = None


def read_result(preset: str, record: Record | None, code: int, records: Sequence[Record], store: Store) -> Result:
    """What a run came to.

    Args:
        preset: its name.
        record: the run's; None where it ended before it had one.
        code: what the process ended with.
        records: all runs, oldest first, among which is the one that trained the model.
        store: which has the artifacts.
    """
    ended = (f"its process ended with {code}",)
    if record is None:
        return Result(Entry(preset, None, "failed", reasons=ended))
    stopped = stopping({outcome.name: outcome for outcome in record.steps})
    verdict: Verdict = "failed"
    if record.verdict in ("passed", "promoted", "refused"):
        verdict = "passed" if stopped is None else "refused"
    told = () if verdict == "passed" else ended
    step, why = (None, told) if stopped is None else (stopped.name, stopped.reasons)
    judged = Entry(preset, record.run, verdict, step, why)
    if verdict == "failed" or lack(record, "evaluate") is not None:
        return Result(judged)
    try:
        return _evaluated(judged, record, records, store)
    except BeamlineError as error:
        return Result(Entry(preset, record.run, "failed", reasons=(str(error),)))


def _evaluated(judged: Entry, record: Record, records: Sequence[Record], store: Store) -> Result:
    model, evaluation = kept(record, store, "train", Model), kept(record, store, "evaluate", Evaluation)
    examples = kept(record, store, "ingest", Examples)
    bundle = None if lack(record, "export") is not None else kept(record, store, "export", Bundle).opened()
    trained = trained_by(record, records)
    entry = replace(
        judged,
        layers=layers_in_words(model),
        epochs=model.recipe["epochs"],
        batch_size=model.recipe["batch_size"],
        parameters=model.parameters,
        rows=evaluation.rows,
        correct=evaluation.correct,
        interval=evaluation.interval,
        training_seconds=None if trained is None else outcome_seconds(trained, "train"),
        run_seconds=None if trained is None else trained.seconds,
        onnx_bytes=None if bundle is None else len(bundle.read(serving.bundle.ONNX)),
    )
    outcomes = Outcomes(evaluation.test_sha256, evaluation.predictions() == examples.all_labels("test"))
    return Result(entry, outcomes, bundle, examples)


def trained_by(record: Record, records: Sequence[Record]) -> Record | None:
    """The newest run that executed the training whose model a run has; None where none is remembered."""
    artifact = next(outcome.artifact for outcome in record.steps if outcome.name == "train")
    return next(
        (
            other
            for other in reversed(records)
            for outcome in other.steps
            if (outcome.name, outcome.outcome, outcome.artifact) == ("train", "executed", artifact)
        ),
        None,
    )


def outcome_seconds(record: Record, step: str) -> float:
    """How long a step of a run took."""
    return next(outcome.seconds for outcome in record.steps if outcome.name == step)


def layers_in_words(model: Model) -> str:
    """The network from input to output, an arrow for each layer."""
    said = {name: value for name, value in model.recipe.items() if name not in ("shape", "classes")}
    recipe, (height, width, channels) = train.Params(**said), model.recipe["shape"]
    words = [f"{height}×{width}×{channels}" if recipe.convolutions else str(height * width * channels)]
    for filters in recipe.convolutions:
        words += [f"{filters} 3×3 convolutions {recipe.hidden_activation}", "max-pooling"]
    words += [f"{units} {recipe.hidden_activation}" for units in recipe.hidden]
    words += [f"dropout {recipe.dropout:g}"] * bool(recipe.dropout)
    return " → ".join([*words, f"{model.recipe['classes']} {recipe.output_activation}"])
