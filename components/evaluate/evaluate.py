"""Model + Examples + Transform -> Evaluation: the candidate's figures on the test set, judged by the gate."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt

from components.artifacts.evaluation import Evaluation, probabilities_sha256
from components.artifacts.examples import Examples
from components.artifacts.model import Model
from components.artifacts.preprocessing import Transform
from components.batches.normalized import keras_probabilities
from components.confusion import class_figures, confusion_matrix
from components.evaluate.calibration import calibration_bins, calibration_error
from components.gate import gate_rules, verdict
from serving.arguments.ranges import Range, require_ranges
from serving.errors import BeamlineError
from serving.wilson import wilson_interval


@dataclass(frozen=True)
class Params:
    """The limits of the gate.

    Attributes:
        min_accuracy: fraction that the lower end of the accuracy's 95 % interval must reach; the default is the limit
            of the data set in presets.py; None refuses every model.
        min_recall: fraction that the lower end of the 95 % interval of every class's recall must reach; None: no such
            rule.
    """

    min_accuracy: Annotated[float | None, Range(0, 1)] = None
    min_recall: Annotated[float | None, Range(0, 1)] = None

    def __post_init__(self) -> None:
        """Refuses limits outside 0 to 1. Raises: InputError."""
        require_ranges(self, Params, "--evaluate.")


def run(model: Model, examples: Examples, transform: Transform, params: Params, out: Path) -> Evaluation:
    """Scores the test set and judges the accuracy and, if there is a limit, each class's recall.

    Raises:
        BeamlineError: the model returned NaN or infinity.
    """
    labels = examples.all_labels("test")
    probabilities = keras_probabilities(model, examples, transform)
    _require_finite(probabilities)
    predicted = probabilities.argmax(axis=1)
    correct = int((predicted == labels).sum())
    confusion = confusion_matrix(labels, predicted, len(examples.class_names))
    classes = class_figures(confusion, examples.class_names)
    bins = calibration_bins(probabilities, labels)
    rules = gate_rules(classes, params.min_accuracy, params.min_recall)
    passed, reasons = verdict(rules)
    return (
        Evaluation(
            path=out,
            weights_sha256=model.weights_sha256(),
            test_sha256=examples.sha256("test"),
            probabilities_sha256=probabilities_sha256(probabilities),
            rows=len(labels),
            correct=correct,
            interval=wilson_interval(correct, len(labels)),
            loss=cross_entropy(probabilities, labels),
            min_accuracy=params.min_accuracy,
            min_recall=params.min_recall,
            confusion=confusion,
            classes=classes,
            calibration_error=calibration_error(bins),
            calibration=bins,
            rules=rules,
            passed=passed,
            reasons=reasons,
        )
        .write_probabilities(probabilities)
        .save()
    )


def cross_entropy(probabilities: npt.NDArray[np.float32], labels: npt.NDArray[np.int64]) -> float:
    """Mean negative logarithm of the probability of each row's label, in nats; probabilities are at least 1e-7."""
    of_label = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.log(np.maximum(of_label, 1e-7)).mean())


def _require_finite(probabilities: npt.NDArray[np.float32]) -> None:
    wrong = np.flatnonzero(~np.isfinite(probabilities).all(axis=1))
    if len(wrong):
        raise BeamlineError(
            f"the model returned NaN for {len(wrong):,} of {len(probabilities):,} test images (first: row {wrong[0]}): "
            "the training diverged, give a smaller --train.learning-rate"
        )
