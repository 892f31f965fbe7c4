"""Outcomes of two models on the same rows -> McNemar's test (mid-p), and an interval; Holm's correction."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

# The level of every test here: how often a gate decides wrongly if both models are equally good.
SIGNIFICANCE = 0.05
# Quantile of the standard normal distribution at this level, one-sided; the library of it takes long to import.
QUANTILE = 1.6448536269514715
# Halvings of the range -1 to 1 in which an end of an interval is searched: more than a float64 can tell apart.
HALVINGS = 60


@dataclass(frozen=True)
class Discordance:
    """Counts of the rows that only one of two models gets right; the other rows do not say which model is better.

    Attributes:
        lost: rows that only the champion gets right.
        gained: rows that only the candidate gets right.
    """

    lost: int
    gained: int

    @property
    def p_worse(self) -> float:
        """One-sided mid-p, 0 to 1: small if the candidate is significantly worse."""
        return upper_mid_p(self.lost, self.lost + self.gained)

    @property
    def p_better(self) -> float:
        """One-sided mid-p, 0 to 1: small if the candidate is significantly better."""
        return upper_mid_p(self.gained, self.lost + self.gained)

    @property
    def p_different(self) -> float:
        """Two-sided mid-p, 0 to 1: small if the two models differ significantly."""
        return min(1.0, 2 * min(self.p_worse, self.p_better))


@dataclass(frozen=True)
class Margin:
    """A loss of accuracy that does not matter, because the seed alone moves the accuracy of a recipe as far.

    Attributes:
        value: a fraction.
        origin: where the value comes from, as a part of a sentence.
    """

    value: float
    origin: str


def discordance(candidate: npt.NDArray[np.bool_], champion: npt.NDArray[np.bool_]) -> Discordance:
    """Counts the rows that only one of two models gets right.

    The arguments, bool (n,), say for the same rows in the same order whether a model predicts the row's own label.
    """
    return Discordance(lost=int((champion & ~candidate).sum()), gained=int((candidate & ~champion).sum()))


def difference_interval(counts: Discordance, rows: int) -> tuple[float, float]:
    """The 90 % interval of the difference of two accuracies on the same rows, candidate minus champion, -1 to 1.

    Each end is one-sided at the level `SIGNIFICANCE`. It is the score interval of Tango 1998 (Statistics in Medicine
    17:891): the differences that the score test does not reject. The test of no difference is McNemar's, so interval
    and p-value agree; and it keeps its level where few rows are discordant.

    Args:
        counts: the discordant rows; at least one of all rows exists.
        rows: number of all rows.
    """
    gained, lost = counts.gained, counts.lost

    def statistic(difference: float) -> float:
        linear = (2 * rows - gained + lost) * difference - gained - lost
        # Rounding can make it a little less than 0.
        square = max(0.0, linear**2 + 8 * rows * lost * difference * (1 - difference))
        # The most likely probability of a lost row, if the accuracies differ by this much.
        share = (math.sqrt(square) - linear) / (4 * rows)
        variance = rows * (2 * share + difference * (1 - difference))
        return (gained - lost - rows * difference) / math.sqrt(max(variance, sys.float_info.min))

    return _where(statistic, QUANTILE), _where(statistic, -QUANTILE)


def upper_mid_p(successes: int, trials: int) -> float:
    """P(X > successes) + P(X = successes) / 2 for X binomial with `trials` fair coins; 0.5 for 0 trials.

    This is the mid-p of McNemar's exact conditional test, one-sided; the two-sided one is twice the smaller side
    (Fagerland, Lydersen and Laake 2013, BMC Medical Research Methodology 13:91).
    """
    total = math.lgamma(trials + 1) - trials * math.log(2)

    def share(count: int) -> float:
        return math.exp(total - math.lgamma(count + 1) - math.lgamma(trials - count + 1))

    # Sum the shorter tail: it is the small one, and subtracting it from 1 loses no precision.
    if 2 * successes < trials:
        return 1.0 - upper_mid_p(trials - successes, trials)
    return math.fsum(share(count) for count in range(successes + 1, trials + 1)) + share(successes) / 2


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Adjusts the p-values of several tests, so that all of them can be compared with one level; keeps their order.

    If the null hypotheses whose adjusted p-value is below a level are rejected, the probability that any of them is
    true is at most that level (Holm 1979, Scandinavian Journal of Statistics 6:65).
    """
    adjusted = [0.0] * len(p_values)
    reached = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        reached = max(reached, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = reached
    return tuple(adjusted)


def _where(falling: Callable[[float], float], value: float) -> float:
    """Where a falling function on -1 to 1 passes a value; the nearer end if it does not."""
    low, high = -1.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if falling(middle) > value else (low, middle)
    return (low + high) / 2
