"""Probabilities + labels -> the few test images that are worth a look: some right, some unsure, the worst errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

# Classes shown of an image: those with the greatest probabilities, and the true one in any case.
SHOWN_CLASSES = 5


@dataclass(frozen=True)
class Prediction:
    """One test image and what the model says of it.

    Attributes:
        row: its index in the test split.
        label: its true class.
        classes: those that are shown, the most probable first.
        probabilities: of these, fractions.
    """

    row: int
    label: int
    classes: tuple[int, ...]
    probabilities: tuple[float, ...]

    @property
    def right(self) -> bool:
        """Whether the most probable class is the true one."""
        return self.classes[0] == self.label


@dataclass(frozen=True)
class Chosen:
    """Test images of three kinds, of any of which there may be none.

    Attributes:
        usual: the first right ones, each of another class while there are any.
        unsure: of the other right ones, the least probable, the least first.
        worst: the wrong ones whose true class is the least probable, the least first.
    """

    usual: tuple[Prediction, ...]
    unsure: tuple[Prediction, ...]
    worst: tuple[Prediction, ...]


def choose(probabilities: npt.NDArray[np.float32], labels: npt.NDArray[np.int64], most: int) -> Chosen:
    """Chooses by values and order of rows alone, so that the same evaluation always shows the same images.

    Args:
        probabilities: float32 (n, classes), fractions.
        labels: int64 (n,), the true classes.
        most: images that are usual, and that are unsure; twice as many errors.
    """
    predicted = probabilities.argmax(axis=1)
    right, wrong = np.flatnonzero(predicted == labels), np.flatnonzero(predicted != labels)
    _, first = np.unique(labels[right], return_index=True)
    order = np.concatenate([np.sort(first), np.delete(np.arange(len(right)), first)])
    usual, others = np.sort(right[order[:most]]), np.sort(right[order[most:]])
    unsure = others[np.argsort(probabilities[others].max(axis=1), kind="stable")][:most]
    worst = wrong[np.argsort(probabilities[wrong, labels[wrong]], kind="stable")][: 2 * most]
    kinds = [
        tuple(_prediction(int(row), int(labels[row]), probabilities[row]) for row in rows)
        for rows in (usual, unsure, worst)
    ]
    return Chosen(*kinds)


def _prediction(row: int, label: int, probabilities: npt.NDArray[np.float32]) -> Prediction:
    classes = [int(shown) for shown in np.argsort(-probabilities, kind="stable")[:SHOWN_CLASSES]]
    if label not in classes:
        classes[-1] = label
    return Prediction(row, label, tuple(classes), tuple(float(probabilities[shown]) for shown in classes))
