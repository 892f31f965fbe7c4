"""Two histograms -> how far apart: the population stability index and the Jensen-Shannon divergence."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

# Added to every bin: an empty one is rare, and not impossible (Krichevsky and Trofimov 1981).
PSEUDO_COUNT = 0.5


class Divergence(NamedTuple):
    """How far two histograms are apart, or may be.

    Attributes:
        psi: population stability index, 0 or more.
        js: Jensen-Shannon divergence in bits, 0 to 1.
    """

    psi: float
    js: float


def shares(counts: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Fractions of all, none of them 0, along the last axis.

    Args:
        counts: (..., bins), 0 or more.
    """
    smoothed = counts + PSEUDO_COUNT
    fractions: npt.NDArray[np.float64] = smoothed / smoothed.sum(axis=-1, keepdims=True)
    return fractions


def stability_index(expected: npt.NDArray[np.float64], found: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The population stability index: Σ (found - expected) ln(found / expected).

    Siddiqi 2006, Credit Risk Scorecards; it is the symmetric divergence of Kullback and Leibler 1951. By convention,
    less than 0.1 is no shift, and more than 0.25 a large one.

    Args:
        expected: float64 (..., bins), fractions above 0.
        found: the same, of what is held against it.

    Returns:
        float64 (...), 0 or more.
    """
    index: npt.NDArray[np.float64] = ((found - expected) * np.log(found / expected)).sum(axis=-1)
    return index


def jensen_shannon(expected: npt.NDArray[np.float64], found: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The Jensen-Shannon divergence (Lin 1991), to base 2: not its square root, which is a distance.

    Args:
        expected: float64 (..., bins), fractions above 0.
        found: the same, of what is held against it.

    Returns:
        float64 (...), 0 where the two are equal to 1 where they share nothing.
    """
    middle = (expected + found) / 2
    terms = expected * np.log2(expected / middle) + found * np.log2(found / middle)
    divergence: npt.NDArray[np.float64] = np.clip(terms.sum(axis=-1) / 2, 0.0, 1.0)
    return divergence
