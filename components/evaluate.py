"""Model + Examples + Transform -> Evaluation: is the candidate good enough, by itself?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from components.artifacts.evaluation import Evaluation, probabilities_sha256
from components.artifacts.examples import Examples
from components.artifacts.model import Model
from components.artifacts.rule import Rule, verdict
from components.artifacts.transform import Transform
from components.calibration import calibration_bins, calibration_error
from components.confusion import ClassFigures, class_figures, confusion_matrix
from serving.errors import BeamlineError, InputError
from serving.wilson import wilson_interval

BATCH_SIZE = 1000
# How many classes a sentence names at most.
NAMED_CLASSES = 5


@dataclass(frozen=True)
class Params:
    """The gate.

    Attributes:
        min_accuracy: fraction that the lower end of the accuracy's 95 % interval must reach; the data set's own
            limit is filled in from presets.py; None refuses, because a gate that nobody set is no gate.
        min_recall: fraction that the lower end of each class's recall's 95 % interval must reach; None: no such rule.
    """

    min_accuracy: float | None = None
    min_recall: float | None = None

    def __post_init__(self) -> None:
        """Refuses what is no fraction. Raises: InputError."""
        for name, limit in (("min-accuracy", self.min_accuracy), ("min-recall", self.min_recall)):
            if limit is not None and not 0 <= limit <= 1:
                raise InputError(f"--evaluate.{name} {limit}: give a fraction from 0 to 1")


def run(model: Model, examples: Examples, transform: Transform, params: Params, out: Path) -> Evaluation:
    """Scores the whole test split and judges the accuracy and, where asked, each class's recall.

    Raises:
        BeamlineError: the model answers with what is no number.
    """
    labels = examples.all_labels("test")
    probabilities = keras_probabilities(model, examples, transform)
    _require_numbers(probabilities)
    predicted = probabilities.argmax(axis=1)
    correct = int((predicted == labels).sum())
    confusion = confusion_matrix(labels, predicted, len(examples.class_names))
    classes = class_figures(confusion, examples.class_names)
    bins = calibration_bins(probabilities, labels)
    rules = find_rules(classes, params)
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


def keras_probabilities(model: Model, examples: Examples, transform: Transform) -> npt.NDArray[np.float32]:
    """float32 (n, classes): what the Keras model says of the test split, each row summing to 1."""
    batches = transform.dataset(examples, "test", BATCH_SIZE, one_hot=False)
    scores: npt.NDArray[np.float32] = model.keras_model().predict(batches, verbose=0)
    probabilities: npt.NDArray[np.float32] = scores / scores.sum(axis=1, keepdims=True)
    return probabilities


def judge_again(predicted: npt.NDArray[np.int64], examples: Examples, evaluation: Evaluation) -> tuple[Rule, ...]:
    """The gate that a model passed, applied to what another form of it predicts of the same test images.

    Args:
        predicted: int64 (n,), a label for each test image.
        examples: where the test images are.
        evaluation: has the limits.
    """
    confusion = confusion_matrix(examples.all_labels("test"), predicted, len(examples.class_names))
    limits = Params(evaluation.min_accuracy, evaluation.min_recall)
    return find_rules(class_figures(confusion, examples.class_names), limits)


def find_rules(classes: Sequence[ClassFigures], params: Params) -> tuple[Rule, ...]:
    """Every rule of the gate, computed whether another one refuses or not.

    Args:
        classes: the figures of each class, by integer label.
        params: the limits.
    """
    correct, rows = sum(figures.correct for figures in classes), sum(figures.rows for figures in classes)
    rules = (Rule("accuracy", *judge(correct, rows, params.min_accuracy)),)
    return rules if params.min_recall is None else (*rules, recall_rule(classes, params.min_recall))


def judge(correct: int, rows: int, min_accuracy: float | None) -> tuple[bool, str]:
    """The verdict on the accuracy, with its arithmetic in one sentence."""
    low, high = wilson_interval(correct, rows)
    found = f"accuracy {correct / rows:.4f} ({correct:,} of {rows:,}), 95 % interval {low:.4f} to {high:.4f}"
    if min_accuracy is None:
        return False, f"{found}; no limit is set for this data set: give one with --evaluate.min-accuracy"
    if low < min_accuracy:
        return False, f"{found}, lower bound {low:.4f} < {min_accuracy:g}"
    return True, f"{found}, lower bound {low:.4f} ≥ {min_accuracy:g}"


def recall_rule(classes: Sequence[ClassFigures], min_recall: float) -> Rule:
    """The verdict on each class's recall; a class without test images has none, and refuses.

    Args:
        classes: the figures of each class, by integer label; one of them at least has test images.
        min_recall: the limit, a fraction.
    """
    labels = range(len(classes))
    recalls = {label: recall for label in labels if (recall := classes[label].recall) is not None}
    from_lowest = sorted(recalls, key=lambda label: recalls[label].low)
    below = [label for label in from_lowest if recalls[label].low < min_recall]
    without = [label for label in labels if label not in recalls]
    figures, recall = classes[from_lowest[0]], recalls[from_lowest[0]]
    words = (
        f"recall of class {_named(from_lowest[:1], classes)} {recall.value:.4f} "
        f"({figures.correct:,} of {figures.rows:,}), 95 % interval {recall.low:.4f} to {recall.high:.4f}, "
        f"lower bound {recall.low:.4f} {'<' if below else '≥'} {min_recall:g}, the lowest of {len(recalls)} classes"
    )
    if below:
        words += f"; classes below the limit ({len(below)} in all): {_named(below, classes)}"
    if without:
        words += f"; classes without test images ({len(without)} in all): {_named(without, classes)}"
    return Rule("recall", not below and not without, words)


def _named(labels: Sequence[int], classes: Sequence[ClassFigures]) -> str:
    """A few classes by label and, where it says more, name."""
    said = [
        str(label) if classes[label].name == str(label) else f"{label} ({classes[label].name})"
        for label in labels[:NAMED_CLASSES]
    ]
    return ", ".join(said + ["…"] * (len(labels) > NAMED_CLASSES))


def cross_entropy(probabilities: npt.NDArray[np.float32], labels: npt.NDArray[np.int64]) -> float:
    """Mean negative log of the probability of each row's label, in nats; probabilities count as at least 1e-7."""
    of_label = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.log(np.maximum(of_label, 1e-7)).mean())


def _require_numbers(probabilities: npt.NDArray[np.float32]) -> None:
    wrong = np.flatnonzero(~np.isfinite(probabilities).all(axis=1))
    if len(wrong):
        raise BeamlineError(
            f"the model answers {len(wrong):,} of {len(probabilities):,} test images, the first is {wrong[0]}, with "
            "what is no number: training diverged, give a smaller --train.learning-rate"
        )
