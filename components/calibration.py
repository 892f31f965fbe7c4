"""Probabilities and labels -> calibration: is a model that is sure at 90 % right in 90 of 100 cases?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

BINS = 15


@dataclass(frozen=True)
class Bin:
    """The rows whose confidence, the probability of the predicted class, lies between two limits.

    Attributes:
        name: the limits, e.g. `0.9333 to 1`; the lower one belongs to the bin below, but 0 to the first.
        rows: how many there are.
        confidence: their mean confidence, a fraction; None of no rows.
        accuracy: fraction of them that got their own label; None of no rows.
    """

    name: str
    rows: int
    confidence: float | None
    accuracy: float | None


def calibration_bins(probabilities: npt.NDArray[np.float32], labels: npt.NDArray[np.int64]) -> tuple[Bin, ...]:
    """Sorts the rows by confidence into 15 bins of equal width.

    Guo, Pleiss, Sun and Weinberger 2017, On Calibration of Modern Neural Networks.

    A bin is (lower, upper]: a confidence that equals a limit belongs below it, and 0 belongs to the first bin.

    Args:
        probabilities: float32 (n, classes), 0 to 1, every row a distribution.
        labels: int64 (n,).
    """
    # In the precision of the confidences, so that 0.2 is on the limit 3/15 and not, by its rounding, above it.
    limits = (np.arange(BINS + 1) / BINS).astype(np.float32)
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    place = np.searchsorted(limits[1:], confidence, side="left")
    rows = np.bincount(place, minlength=BINS).tolist()
    confident = np.bincount(place, weights=confidence, minlength=BINS).tolist()
    correct = np.bincount(place, weights=right, minlength=BINS).tolist()
    names = [f"{round(float(low), 4):g} to {round(float(high), 4):g}" for low, high in pairwise(limits)]
    return tuple(
        Bin(name, count, confident[index] / count if count else None, correct[index] / count if count else None)
        for index, (name, count) in enumerate(zip(names, rows, strict=True))
    )


def calibration_error(bins: Sequence[Bin]) -> float:
    """The expected calibration error: the mean over all rows of how far their bin's accuracy is from its confidence.

    Args:
        bins: with one row or more in all.

    Returns:
        0 to 1, a fraction.
    """
    gaps = [
        (found.rows, abs(found.accuracy - found.confidence))
        for found in bins
        if found.accuracy is not None and found.confidence is not None
    ]
    return sum(rows * gap for rows, gap in gaps) / sum(rows for rows, _ in gaps)
