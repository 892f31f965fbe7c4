"""Labels and predictions -> confusion matrix -> each class's precision, recall and F1, with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from serving.wilson import Estimate, estimate


@dataclass(frozen=True)
class ClassFigures:
    """How one class fared; an estimate is None where nothing was counted that it could be a share of.

    Attributes:
        name: the class's name.
        rows: test images of the class.
        predicted: test images that were taken for it.
        correct: those of them that are of it.
        precision: share of `predicted` that is correct.
        recall: share of `rows` that is correct.
        f1: harmonic mean of precision and recall.
    """

    name: str
    rows: int
    predicted: int
    correct: int
    precision: Estimate | None
    recall: Estimate | None
    f1: Estimate | None

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Self:
        """The figures whose values, by name, were written to JSON."""
        estimates = {name: said[name] and Estimate(**said[name]) for name in ("precision", "recall", "f1")}
        return cls(**{**said, **estimates})


def confusion_matrix(
    labels: npt.NDArray[np.int64], predicted: npt.NDArray[np.int64], classes: int
) -> tuple[tuple[int, ...], ...]:
    """Counts by true label (rows) and predicted label (columns).

    Args:
        labels: int64 (n,), 0 to classes - 1.
        predicted: int64 (n,), of the same rows, 0 to classes - 1.
        classes: number of classes.
    """
    counts = np.bincount(labels * classes + predicted, minlength=classes * classes)
    return tuple(tuple(row) for row in counts.reshape(classes, classes).tolist())


def class_figures(confusion: Sequence[Sequence[int]], class_names: Sequence[str]) -> tuple[ClassFigures, ...]:
    """The figures of each class, by integer label.

    Args:
        confusion: counts by true label (rows) and predicted label (columns).
        class_names: by integer label.
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
    """F1 of one class with its 95 % interval; None where the class neither occurs nor is predicted.

    F1 itself is no proportion of rows. J = TP / (TP + FP + FN) is: of the rows in which the class is the true or the
    predicted one, those in which it is both. F1 = 2J / (1 + J) rises with J, so the ends of J's Wilson interval, put
    through the same formula, are the ends of F1's.

    Args:
        rows: TP + FN.
        predicted: TP + FP.
        correct: TP.
    """
    both = estimate(correct, rows + predicted - correct)
    return both and Estimate(*(2 * j / (1 + j) for j in (both.value, both.low, both.high)))
