"""Writes docs/presets.md, what each preset reaches on MNIST, from the records of runs: `python -m docs.presets`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import serving.bundle
from components import evaluate, ingest, train, transform
from components.artifacts.evaluation import Evaluation
from components.artifacts.model import Model
from pipeline.history import History, Record, plain
from pipeline.outcome import Outcome
from pipeline.presets import DEFAULT, MIN_ACCURACY, PRESETS
from pipeline.store import PAYLOAD
from serving.errors import BeamlineError, InputError
from serving.files import write_json

DATASET = "mnist"
HEADER = ("preset", "layers", "parameters", "epochs", "batch", "test accuracy", "95 % interval")
HEADER += ("training", "whole run", "ONNX")

TEXT = """# The presets on MNIST

Each preset was run once as it stands: `python -m pipeline run --preset NAME`. The accuracy is that of the 10,000 test
images, its interval Wilson's. *Training* is the time of the step `train`, *whole run* that of the run which trained;
what an earlier run had left ready it found. Measured with {environment}.

A linear model does not reach the limit of 0.96 that the gate has for MNIST, and is refused. `linear` and
`linear-sigmoid` learn the same weights: Keras computes the sparse cross-entropy from the scores before the activation.

{table}

The values stand in [presets.json](presets.json) too. `python -m docs.presets --runs RUNS` makes both files anew.
"""


@dataclass(frozen=True)
class Row:
    """What one preset reached.

    Attributes:
        preset: its name.
        layers: the network, in words.
        parameters: number of trained values.
        epochs: passes over the training rows.
        batch_size: rows a step.
        rows: number of test images.
        correct: how many of them were classified rightly.
        interval: 95 % interval of the accuracy, fractions.
        training_seconds: of the step train, where it was executed.
        run_seconds: of the run that executed it.
        onnx_bytes: size of the exported file; None where the gate refused the model.
        run: the newest run of the preset.
        verdict: of that run.
    """

    preset: str
    layers: str
    parameters: int
    epochs: int
    batch_size: int
    rows: int
    correct: int
    interval: tuple[float, ...]
    training_seconds: float
    run_seconds: float
    onnx_bytes: int | None
    run: str
    verdict: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes presets.md and presets.json. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m docs.presets", description=__doc__)
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder of artifacts, history and logs")
    parser.add_argument("--out", type=Path, default=Path("docs"), help="folder to write to")
    given = parser.parse_args(arguments)
    try:
        records = History(given.runs).records()
        rows = [read_row(records, preset, given.runs) for preset in PRESETS]
    except BeamlineError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    newest = next(record for record in records if record.run == rows[0].run).environment
    environment = "{processors} processors ({machine}), {system}, Python {python}".format_map(newest)
    (given.out / "presets.md").write_text(TEXT.format(environment=environment, table=table(rows)), encoding="utf-8")
    write_json(given.out / "presets.json", {"environment": newest, "presets": [asdict(row) for row in rows]})
    return 0


def read_row(records: Sequence[Record], preset: str, runs: Path) -> Row:
    """What the newest run of a preset, with none of its values changed, came to.

    Raises:
        InputError: there is no such run, or what it made is gone.
    """
    todo = f"run python -m pipeline run --preset {preset} --runs {runs}"
    newest = next((record for record in reversed(records) if _is_of(record, preset)), None)
    if newest is None:
        raise InputError(f"{runs} has no finished run of {preset} on {DATASET} as it stands: {todo}")
    trained = next((record for record in reversed(records) if _executed_train(record, newest)), None)
    if trained is None:
        raise InputError(f"{runs} has no run that trained the model of run {newest.run} ({preset}): {todo} --force")
    try:
        model = Model.load(_payload(newest, "train", runs))
        evaluation = Evaluation.load(_payload(newest, "evaluate", runs))
        onnx = _payload(newest, "export", runs) / serving.bundle.ONNX if _step(newest, "export").artifact else None
        onnx_bytes = onnx.stat().st_size if onnx else None
    except FileNotFoundError as error:
        raise InputError(f"{error.filename}, which run {newest.run} ({preset}) made, is gone: {todo}") from error
    return Row(
        preset=preset,
        layers=layers_in_words(PRESETS[preset], model.recipe["shape"], model.recipe["classes"]),
        parameters=model.parameters,
        epochs=model.recipe["epochs"],
        batch_size=model.recipe["batch_size"],
        rows=evaluation.rows,
        correct=evaluation.correct,
        interval=evaluation.interval,
        training_seconds=_step(trained, "train").seconds,
        run_seconds=trained.seconds,
        onnx_bytes=onnx_bytes,
        run=newest.run,
        verdict=newest.verdict,
    )


def layers_in_words(recipe: train.Params, shape: Sequence[int], classes: int) -> str:
    """The network from input to output, an arrow for each layer."""
    height, width, channels = shape
    words = [f"{height}×{width}×{channels}" if recipe.convolutions else str(height * width * channels)]
    for filters in recipe.convolutions:
        words += [f"{filters} 3×3 convolutions {recipe.hidden_activation}", "max-pooling"]
    words += [f"{units} {recipe.hidden_activation}" for units in recipe.hidden]
    words += [f"dropout {recipe.dropout:g}"] * bool(recipe.dropout)
    return " → ".join([*words, f"{classes} {recipe.output_activation}"])


def table(rows: Sequence[Row]) -> str:
    """The rows as a table in Markdown."""
    lines = [HEADER, ("---", "---", *("---:" for _ in HEADER[2:])), *(_cells(row) for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _cells(row: Row) -> tuple[str, ...]:
    return (
        f"`{row.preset}`{' (default)' if row.preset == DEFAULT else ''}",
        row.layers,
        f"{row.parameters:,}",
        str(row.epochs),
        str(row.batch_size),
        f"{row.correct / row.rows:.4f}{'' if row.onnx_bytes else ' (refused)'}",
        " to ".join(f"{end:.4f}" for end in row.interval),
        f"{row.training_seconds:.1f} s",
        f"{row.run_seconds:.1f} s",
        f"{row.onnx_bytes / 1000:,.0f} kB" if row.onnx_bytes else "–",
    )


def _is_of(record: Record, preset: str) -> bool:
    """Whether a run came to a verdict on a preset with its own values, on the whole data set."""
    config: Any = record.config
    places = {"data_dir": None, "manual_dir": None}
    return (
        record.verdict in ("promoted", "refused")
        and {**config["ingest"], **places} == {**plain(ingest.Params(DATASET)), **places}
        and config["transform"] == plain(transform.Params())
        and config["train"] == plain(PRESETS[preset])
        and config["evaluate"] == plain(evaluate.Params(MIN_ACCURACY[DATASET]))
        and _step(record, "evaluate").artifact is not None
    )


def _executed_train(record: Record, newest: Record) -> bool:
    step = next((step for step in record.steps if step.name == "train"), None)
    return step is not None and (step.outcome, step.artifact) == ("executed", _step(newest, "train").artifact)


def _step(record: Record, name: str) -> Outcome:
    return next(step for step in record.steps if step.name == name)


def _payload(record: Record, step: str, runs: Path) -> Path:
    return runs / "artifacts" / str(_step(record, step).artifact) / PAYLOAD


if __name__ == "__main__":
    sys.exit(main())
