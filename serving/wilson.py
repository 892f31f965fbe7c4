"""Successes and trials -> a proportion with its 95 % interval: Wilson's score interval."""

from __future__ import annotations

import math
from dataclasses import dataclass

# The 97.5 % quantile of the normal distribution: two-sided intervals of 95 %.
Z = 1.959963984540054


@dataclass(frozen=True)
class Estimate:
    """An estimated proportion with the ends of its 95 % interval; all three are fractions, low <= value <= high."""

    value: float
    low: float
    high: float


def estimate(successes: int, trials: int) -> Estimate | None:
    """A proportion with its interval; None without trials."""
    return Estimate(successes / trials, *wilson_interval(successes, trials)) if trials else None


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """The 95 % score interval of a proportion, without continuity correction (Wilson 1927), for 1 or more trials.

    Returns: Lower and upper end, fractions: exactly 0 without a success, exactly 1 without a failure.
    """
    share, rest = successes / trials, (trials - successes) / trials
    half = Z * math.sqrt(share * rest / trials + Z * Z / (4 * trials * trials))

    def lower_end(proportion: float) -> float:
        # The ends are the roots of a quadratic. This one is their product divided by the larger root: no subtraction,
        # so no loss of precision near 0.
        return proportion * proportion / (proportion + Z * Z / (2 * trials) + half)

    return lower_end(share), 1 - lower_end(rest)
