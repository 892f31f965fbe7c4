"""Probabilities + labels -> a few selected test images: some correct, some unsure, the worst errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

# The most probable classes of an image, and always the true one.
SHOWN_CLASSES = 5


@dataclass(frozen=True)
class Prediction:
    """One test image, its true class, the classes to show, the most probable first, and their probabilities."""

    row: int
    label: int
    classes: tuple[int, ...]
    probabilities: tuple[float, ...]

    @property
    def right(self) -> bool:
        """Whether the most probable class is the true one."""
        return self.classes[0] == self.label


class SelectedExamples(NamedTuple):
    """Test images of three kinds; each kind may be empty.

    Attributes:
        usual: the first correct ones, each of another class as long as there are any.
        unsure: the other correct ones with the lowest probability, the lowest first.
        worst: the wrong ones whose true class has the lowest probability, the lowest first.
    """

    usual: tuple[Prediction, ...]
    unsure: tuple[Prediction, ...]
    worst: tuple[Prediction, ...]


def select_examples(
    probabilities: npt.NDArray[np.float32], labels: npt.NDArray[np.int64], most: int
) -> SelectedExamples:
    """Selects by values and order of rows alone, so that an evaluation always shows the same images.

    Args:
        probabilities: float32 (n, classes), fractions.
        labels: int64 (n,), the true classes.
        most: number of usual and of unsure images; twice as many errors.
    """
    predicted = probabilities.argmax(axis=1)
    right, wrong = np.flatnonzero(predicted == labels), np.flatnonzero(predicted != labels)
    _, first = np.unique(labels[right], return_index=True)
    order = np.concatenate([np.sort(first), np.delete(np.arange(len(right)), first)])
    usual, others = np.sort(right[order[:most]]), np.sort(right[order[most:]])
    unsure = others[np.argsort(probabilities[others].max(axis=1), kind="stable")][:most]
    worst = wrong[np.argsort(probabilities[wrong, labels[wrong]], kind="stable")][: 2 * most]
    kinds = [tuple(_prediction(int(row), labels, probabilities) for row in rows) for rows in (usual, unsure, worst)]
    return SelectedExamples(*kinds)


def _prediction(row: int, labels: npt.NDArray[np.int64], probabilities: npt.NDArray[np.float32]) -> Prediction:
    label = int(labels[row])
    classes = np.argsort(-probabilities[row], kind="stable")[:SHOWN_CLASSES].tolist()
    if label not in classes:
        classes[-1] = label
    return Prediction(row, label, tuple(classes), tuple(probabilities[row, classes].tolist()))
