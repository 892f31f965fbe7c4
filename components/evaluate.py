"""Model + Examples + Transform -> Evaluation: is the candidate good enough, by itself?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from components.artifacts.evaluation import Evaluation
from components.artifacts.examples import Examples
from components.artifacts.model import Model
from components.artifacts.transform import Transform
from components.confusion import confusion_matrix
from components.wilson import wilson_interval
from serving.errors import InputError

BATCH_SIZE = 1000


@dataclass(frozen=True)
class Params:
    """The gate.

    Attributes:
        min_accuracy: fraction that the lower end of the accuracy's 95 % interval must reach; the data set's own
            limit is filled in from presets.py; None refuses, because a gate that nobody set is no gate.
    """

    min_accuracy: float | None = None

    def __post_init__(self) -> None:
        """Refuses what is no fraction. Raises: InputError."""
        if self.min_accuracy is not None and not 0 <= self.min_accuracy <= 1:
            raise InputError(f"--evaluate.min-accuracy {self.min_accuracy}: give a fraction from 0 to 1")


def run(model: Model, examples: Examples, transform: Transform, params: Params, out: Path) -> Evaluation:
    """Scores the whole test split and judges the accuracy."""
    labels = examples.all_labels("test")
    probabilities = keras_probabilities(model, examples, transform)
    predicted = probabilities.argmax(axis=1)
    correct = int((predicted == labels).sum())
    interval = wilson_interval(correct, len(labels))
    passed, reason = judge(correct, len(labels), params.min_accuracy)
    return (
        Evaluation(
            path=out,
            test_sha256=examples.sha256("test"),
            rows=len(labels),
            correct=correct,
            interval=interval,
            loss=cross_entropy(probabilities, labels),
            min_accuracy=params.min_accuracy,
            confusion=confusion_matrix(labels, predicted, len(examples.class_names)),
            passed=passed,
            reasons=(reason,),
        )
        .write_probabilities(probabilities)
        .save()
    )


def keras_probabilities(model: Model, examples: Examples, transform: Transform) -> npt.NDArray[np.float32]:
    """float32 (n, classes): what the Keras model says of the test split, each row summing to 1."""
    batches = transform.dataset(examples, "test", BATCH_SIZE, one_hot=False)
    scores: npt.NDArray[np.float32] = model.keras_model().predict(batches, verbose=0)
    probabilities: npt.NDArray[np.float32] = scores / scores.sum(axis=1, keepdims=True)
    return probabilities


def judge(correct: int, rows: int, min_accuracy: float | None) -> tuple[bool, str]:
    """The gate's verdict, with its arithmetic in one sentence."""
    low, high = wilson_interval(correct, rows)
    found = f"accuracy {correct / rows:.4f} ({correct:,} of {rows:,}), 95 % interval {low:.4f} to {high:.4f}"
    if min_accuracy is None:
        return False, f"{found}; no limit is set for this data set: give one with --evaluate.min-accuracy"
    if low < min_accuracy:
        return False, f"{found}, lower bound {low:.4f} < {min_accuracy:g}"
    return True, f"{found}, lower bound {low:.4f} ≥ {min_accuracy:g}"


def cross_entropy(probabilities: npt.NDArray[np.float32], labels: npt.NDArray[np.int64]) -> float:
    """Mean negative log of the probability of each row's label, in nats; probabilities count as at least 1e-7."""
    of_label = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.log(np.maximum(of_label, 1e-7)).mean())
