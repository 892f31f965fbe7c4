"""Predictions + Examples -> Evaluation: the candidate's figures on the test set, judged by the gate."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from components.artifacts.evaluation import Evaluation, Predictions, probabilities_sha256
from components.artifacts.examples import Examples
from serving.arguments.ranges import Range, require_ranges


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


def run(predictions: Predictions, examples: Examples, params: Params, out: Path) -> Evaluation:
    """Judges the accuracy on the test set and, if there is a limit, each class's recall."""
    from components.confusion import class_figures, confusion_matrix
    from components.evaluate.calibration import calibration_bins, calibration_error, cross_entropy
    from components.gate import gate_rules, verdict
    from serving.wilson import wilson_interval

    labels = examples.all_labels("test")
    probabilities = predictions.probabilities()
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
            weights_sha256=predictions.weights_sha256,
            test_sha256=predictions.test_sha256,
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
