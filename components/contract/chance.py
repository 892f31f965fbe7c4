"""Two histograms -> how far apart they are, and how far chance alone would have them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from serving.divergence import jensen_shannon, shares

# Of the normal distribution, the quantile that chance stays below 999 times in 1,000.
QUANTILE = 3.0902323061678132


class Distance(NamedTuple):
    """How far two histograms are apart, in bits of Jensen-Shannon divergence.

    Attributes:
        js: as found, 0 to 1.
        chance: what two samples of one and the same distribution stay below, 999 times in 1,000.
    """

    js: float
    chance: float


def distance(one: Sequence[int], other: Sequence[int], rows: tuple[int, int]) -> Distance:
    """How far two histograms are apart.

    Where both are samples of one distribution, 8 ln 2 of their divergence in bits, over 1/n + 1/m, is chi-squared with
    one degree of freedom less than there are bins (Grosse et al. 2002, Phys. Rev. E 65, 041905: the divergence of
    sequences; here both weigh the same). The rows are n and m also of pixels: those of one image are no independent
    draws, and a histogram of them varies most where each image is of one value, and then as the rows do.

    Args:
        one: counts, 0 or more.
        other: counts in the same bins.
        rows: how many independent draws each of the two is of, 1 or more.
    """
    counts = np.array([one, other])
    occupied = counts[:, counts.any(axis=0)]
    js = float(jensen_shannon(*shares(occupied)))
    spread = (1 / rows[0] + 1 / rows[1]) / (8 * math.log(2))
    return Distance(js, chi_squared(occupied.shape[1] - 1) * spread)


def chi_squared(degrees: int) -> float:
    """What chi-squared stays below 999 times in 1,000 (Wilson and Hilferty 1931, within 4 % and above); 0 for none."""
    if degrees < 1:
        return 0.0
    width = 2 / (9 * degrees)
    return degrees * float(1 - width + QUANTILE * math.sqrt(width)) ** 3
