"""Probabilities and labels -> calibration: does the accuracy match the confidence?"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from components.artifacts.evaluation import Bin

BINS = 15


def calibration_bins(probabilities: npt.NDArray[np.float32], labels: npt.NDArray[np.int64]) -> tuple[Bin, ...]:
    """Sorts the rows by confidence into 15 bins of equal width (Guo et al. 2017).

    A bin is (lower, upper]: a confidence that equals a limit belongs to the bin below it, 0 to the first bin.
    Probabilities are float32 (n, classes), 0 to 1, and each row sums to 1; labels are int64 (n,).
    """
    # In float32, the type of the confidences: there 0.2 equals the limit 3/15, in float64 it is above it.
    limits = (np.arange(BINS + 1) / BINS).astype(np.float32)
    confidence = probabilities.max(axis=1)
    is_correct = probabilities.argmax(axis=1) == labels
    indices = np.searchsorted(limits[1:], confidence, side="left")
    rows = np.bincount(indices, minlength=BINS).tolist()
    confident = np.bincount(indices, weights=confidence, minlength=BINS).tolist()
    correct = np.bincount(indices, weights=is_correct, minlength=BINS).tolist()
    names = [f"{round(float(low), 4):g} to {round(float(high), 4):g}" for low, high in pairwise(limits)]
    return tuple(
        Bin(name, count, confident[index] / count if count else None, correct[index] / count if count else None)
        for index, (name, count) in enumerate(zip(names, rows, strict=True))
    )


def calibration_error(bins: Sequence[Bin]) -> float:
    """The expected calibration error, a fraction (Guo et al. 2017); at least one bin has rows.

    It is the mean over all rows of |accuracy - confidence| of their bin.
    """
    gaps = [
        (found.rows, abs(found.accuracy - found.confidence))
        for found in bins
        if found.accuracy is not None and found.confidence is not None
    ]
    return sum(rows * gap for rows, gap in gaps) / sum(rows for rows, _ in gaps)


def cross_entropy(probabilities: npt.NDArray[np.float32], labels: npt.NDArray[np.int64]) -> float:
    """Mean negative logarithm of the probability of each row's label, in nats; probabilities are at least 1e-7."""
    of_label = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.log(np.maximum(of_label, 1e-7)).mean())
