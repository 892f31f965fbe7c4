"""Two histograms -> their divergence: population stability index (PSI) and Jensen-Shannon divergence."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

# Added to every bin: an empty bin is rare, not impossible (Krichevsky and Trofimov 1981).
PSEUDO_COUNT = 0.5


class Divergence(NamedTuple):
    """The divergence of two histograms, or its limit.

    Attributes:
        psi: population stability index, 0 or more.
        js: Jensen-Shannon divergence in bits, 0 to 1.
    """

    psi: float
    js: float


def shares(counts: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Smoothed fractions of counts, (..., bins), along the last axis: all above 0."""
    smoothed = counts + PSEUDO_COUNT
    fractions: npt.NDArray[np.float64] = smoothed / smoothed.sum(axis=-1, keepdims=True)
    return fractions


def stability_index(expected: npt.NDArray[np.float64], found: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The population stability index: Σ (found - expected) ln(found / expected).

    Siddiqi 2006, Credit Risk Scorecards; this is the symmetric divergence of Kullback and Leibler 1951. By convention,
    an index below 0.1 means no shift, one above 0.25 a large shift.

    Takes fractions above 0, float64 (..., bins). Returns: float64 (...), 0 or more.
    """
    index: npt.NDArray[np.float64] = ((found - expected) * np.log(found / expected)).sum(axis=-1)
    return index


def jensen_shannon(expected: npt.NDArray[np.float64], found: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The Jensen-Shannon divergence (Lin 1991) to base 2; its square root would be a distance.

    Takes fractions above 0, float64 (..., bins). Returns: float64 (...), from 0 (equal) to 1 (disjoint).
    """
    middle = (expected + found) / 2
    terms = expected * np.log2(expected / middle) + found * np.log2(found / middle)
    divergence: npt.NDArray[np.float64] = np.clip(terms.sum(axis=-1) / 2, 0.0, 1.0)
    return divergence
