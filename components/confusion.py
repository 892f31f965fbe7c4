"""Labels and predictions -> confusion matrix -> precision, recall and F1 of each class, with their intervals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from components.artifacts.evaluation import ClassFigures
from serving.wilson import Estimate, estimate


def confusion_matrix(
    labels: npt.NDArray[np.int64], predicted: npt.NDArray[np.int64], classes: int
) -> tuple[tuple[int, ...], ...]:
    """Counts by true label (rows) and predicted label (columns); both are int64 (n,), 0 to classes - 1."""
    counts = np.bincount(labels * classes + predicted, minlength=classes * classes)
    return tuple(tuple(row) for row in counts.reshape(classes, classes).tolist())


def class_figures(confusion: Sequence[Sequence[int]], class_names: Sequence[str]) -> tuple[ClassFigures, ...]:
    """The figures of each class, by integer label.

    `confusion` has the counts by true label (rows) and predicted label (columns).
    """
    counts = np.array(confusion)
    rows, predicted, correct = (part.tolist() for part in (counts.sum(axis=1), counts.sum(axis=0), counts.diagonal()))
    return tuple(
        ClassFigures(
            name=name,
            rows=rows[label],
            predicted=predicted[label],
            correct=correct[label],
            precision=estimate(correct[label], predicted[label]),
            recall=estimate(correct[label], rows[label]),
            f1=f1_score(rows[label], predicted[label], correct[label]),
        )
        for label, name in enumerate(class_names)
    )


def f1_score(rows: int, predicted: int, correct: int) -> Estimate | None:
    """F1 of one class with its 95 % interval; None if the class neither occurs nor is predicted.

    F1 is not a proportion of rows, but J = TP / (TP + FP + FN) is: the share of the rows with the true and the
    predicted class among the rows with either. F1 = 2J / (1 + J) rises with J, so the formula maps the ends of J's
    Wilson interval to the ends of F1's interval. Here, `rows` is TP + FN, `predicted` TP + FP, and `correct` TP.
    """
    both = estimate(correct, rows + predicted - correct)
    return both and Estimate(*(2 * j / (1 + j) for j in (both.value, both.low, both.high)))
