"""A run's record and artifacts -> what MLflow shows of it: parameters, metrics, epochs and tags."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from components.artifacts.evaluation import Evaluation
from components.artifacts.model import Model
from components.artifacts.verification import Verification
from pipeline.history import Record
from pipeline.outcome import stopping

# What MLflow takes at most, in characters.
PARAM_CHARACTERS = 6000
TAG_CHARACTERS = 5000
# Groups of parameters, one a component; where things lie is no parameter.
GROUPS = ("ingest", "validate", "transform", "train", "evaluate", "verify", "promote")
ELSEWHERE = ("memory", "models", "run", "champion", "reason", "restore")


@dataclass(frozen=True)
class Figures:
    """What is shown of a run.

    Attributes:
        params: by component and name, `train.epochs`.
        metrics: of the test split and of scoring it.
        epochs: one entry an epoch, the first being number 1.
        tags: who it was and what it came to.
    """

    params: Mapping[str, str]
    metrics: Mapping[str, float]
    epochs: tuple[Mapping[str, float], ...]
    tags: Mapping[str, str]


def figures_of(
    record: Record, model: Model | None, evaluation: Evaluation | None, verification: Verification | None
) -> Figures:
    """What is shown of a run.

    Args:
        record: the run's.
        model: None where it came to none, as below.
        evaluation: of the model.
        verification: of its bundle.
    """
    return Figures(
        params=dict(_params(record.config)),
        metrics=_metrics(record, evaluation, verification),
        epochs=tuple({_epoch_name(name): value for name, value in epoch.items()} for epoch in model.history)
        if model is not None
        else (),
        tags={name: cut(value, TAG_CHARACTERS) for name, value in _tags(record, evaluation, verification).items()},
    )


def cut(words: str, characters: int) -> str:
    """Words of at most so many characters, the end left out where there are more."""
    return words if len(words) <= characters else words[: characters - 2] + " …"


def _params(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "model", config["model"]
    for group in GROUPS:
        for name, value in config[group].items():
            words = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            # No server keeps an empty one.
            if words and name not in ELSEWHERE:
                yield f"{group}.{name}", cut(words, PARAM_CHARACTERS)


def _metrics(record: Record, evaluation: Evaluation | None, verification: Verification | None) -> dict[str, float]:
    found = {"run_seconds": record.seconds}
    if evaluation is not None:
        lower, upper = evaluation.interval
        found |= {"accuracy": evaluation.accuracy, "accuracy_lower": lower, "accuracy_upper": upper}
        found |= {"loss": evaluation.loss, "calibration_error": evaluation.calibration_error}
        found["test_rows"] = evaluation.rows
    if verification is not None and (took := verification.measured()) is not None:
        found |= vars(took)
    return found


def _epoch_name(name: str) -> str:
    return name if name.startswith("val_") else f"train_{name}"


def _tags(record: Record, evaluation: Evaluation | None, verification: Verification | None) -> dict[str, str]:
    stopped = stopping({outcome.name: outcome for outcome in record.steps})
    told = record.steps[-1].reasons if stopped is None else (f"{stopped.name}: {reason}" for reason in stopped.reasons)
    tags = {
        "beamline.run": record.run,
        "beamline.verdict": record.verdict,
        "beamline.reasons": "\n".join(told),
        "beamline.dataset": record.config["ingest"]["dataset"],
        "beamline.preset": record.config["train"]["preset"],
    }
    tags |= {f"beamline.{step.name}_sha256": step.sha256 for step in record.steps if step.sha256 is not None}
    if evaluation is not None:
        tags |= {"beamline.weights_sha256": evaluation.weights_sha256, "beamline.test_sha256": evaluation.test_sha256}
    if verification is not None:
        tags["beamline.bundle_sha256"] = verification.bundle_sha256
    return tags
