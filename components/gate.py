"""ClassFigures + limits -> Rules -> verdict: the gate on the test set, for every form of a model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from components.artifacts.artifact import RuleResult
from components.artifacts.evaluation import ClassFigures, Evaluation
from components.artifacts.examples import Examples
from components.confusion import class_figures, confusion_matrix
from serving.wilson import wilson_interval

# Largest number of classes that a message lists.
MAX_LISTED_CLASSES = 5


def gate_rules(
    classes: Sequence[ClassFigures], min_accuracy: float | None, min_recall: float | None
) -> tuple[RuleResult, ...]:
    """All rules of the gate, each computed even if another one refuses.

    The limits are fractions. Without a limit, the accuracy refuses, and the recalls have no rule.
    """
    correct, rows = sum(figures.correct for figures in classes), sum(figures.rows for figures in classes)
    accuracy = accuracy_rule(correct, rows, min_accuracy)
    return (accuracy,) if min_recall is None else (accuracy, recall_rule(classes, min_recall))


def judge_predictions(
    predicted: npt.NDArray[np.int64], examples: Examples, evaluation: Evaluation
) -> tuple[RuleResult, ...]:
    """Applies the limits of an evaluation to another form of the model, e.g. int8.

    `predicted` has a label for each test image, int64 (n,).
    """
    confusion = confusion_matrix(examples.all_labels("test"), predicted, len(examples.class_names))
    classes = class_figures(confusion, examples.class_names)
    return gate_rules(classes, evaluation.min_accuracy, evaluation.min_recall)


def verdict(rules: Sequence[RuleResult]) -> tuple[bool, tuple[str, ...]]:
    """Whether all rules hold, and the reasons: the sentences of the rules that refuse, or of all if none refuses."""
    refusing = tuple(rule.message for rule in rules if not rule.passed)
    return not refusing, refusing or tuple(rule.message for rule in rules)


def accuracy_rule(correct: int, rows: int, min_accuracy: float | None) -> RuleResult:
    """The lower end of the accuracy's 95 % interval (Wilson 1927) must reach the limit, a fraction.

    None: the rule always refuses, because the user must choose a limit.
    """
    low, high = wilson_interval(correct, rows)
    found = f"accuracy {correct / rows:.4f} ({correct:,} of {rows:,}), 95 % interval {low:.4f} to {high:.4f}"
    if min_accuracy is None:
        text = f"{found}; no limit is set for this data set: give one with --evaluate.min-accuracy"
        return RuleResult("accuracy", False, text)
    passed = low >= min_accuracy
    return RuleResult("accuracy", passed, f"{found}, lower bound {low:.4f} {'≥' if passed else '<'} {min_accuracy:g}")


def recall_rule(classes: Sequence[ClassFigures], min_recall: float) -> RuleResult:
    """For each class, the lower end of the 95 % interval of its recall must reach the limit, a fraction.

    A class without test images is not judged, and is named. At least one class has test images.
    """
    labels = range(len(classes))
    recalls = {label: recall for label in labels if (recall := classes[label].recall) is not None}
    from_lowest = sorted(recalls, key=lambda label: recalls[label].low)
    below = [label for label in from_lowest if recalls[label].low < min_recall]
    without = [label for label in labels if label not in recalls]
    figures, recall = classes[from_lowest[0]], recalls[from_lowest[0]]
    text = (
        f"recall of class {_names(from_lowest[:1], classes)} {recall.value:.4f} "
        f"({figures.correct:,} of {figures.rows:,}), 95 % interval {recall.low:.4f} to {recall.high:.4f}, "
        f"lower bound {recall.low:.4f} {'<' if below else '≥'} {min_recall:g}, the lowest of {len(recalls)} classes"
    )
    if below:
        text += f"; classes below the limit ({len(below)} in all): {_names(below, classes)}"
    if without:
        text += f"; not judged, because without test images ({len(without)} in all): {_names(without, classes)}"
    return RuleResult("recall", not below, text)


def _names(labels: Sequence[int], classes: Sequence[ClassFigures]) -> str:
    """The first classes by label, with the name if it differs from the label."""
    names = [
        str(label) if classes[label].name == str(label) else f"{label} ({classes[label].name})"
        for label in labels[:MAX_LISTED_CLASSES]
    ]
    return ", ".join(names + ["…"] * (len(labels) > MAX_LISTED_CLASSES))
