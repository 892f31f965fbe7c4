"""Successes and trials -> a proportion with its 95 % interval: Wilson's score interval."""

from __future__ import annotations

import math
from dataclasses import dataclass

# The 97.5 % quantile of the normal distribution: two-sided intervals of 95 %.
Z = 1.959963984540054


@dataclass(frozen=True)
class Estimate:
    """A proportion that was found, and how far it can be trusted.

    Attributes:
        value: fraction.
        low: lower end of its 95 % interval, a fraction, at most `value`.
        high: upper end, at least `value`.
    """

    value: float
    low: float
    high: float


def estimate(successes: int, trials: int) -> Estimate | None:
    """A proportion with its interval; None of no trials, which say nothing."""
    return Estimate(successes / trials, *wilson_interval(successes, trials)) if trials else None


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """The 95 % score interval of a proportion, without continuity correction (Wilson 1927).

    Args:
        successes: 0 to trials.
        trials: 1 or more.

    Returns:
        Lower and upper end, fractions: exactly 0 below no successes, exactly 1 above nothing but successes.
    """
    share, rest = successes / trials, (trials - successes) / trials
    half = Z * math.sqrt(share * rest / trials + Z * Z / (4 * trials * trials))

    def lower_end(proportion: float) -> float:
        # The ends are the roots of a quadratic: their product over the greater one. Nothing is subtracted, so
        # nothing is lost near 0.
        return proportion * proportion / (proportion + Z * Z / (2 * trials) + half)

    return lower_end(share), 1 - lower_end(rest)
