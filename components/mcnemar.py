"""Outcomes of two models on the same rows -> is one of them better? McNemar's test, mid-p."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

# The probability with which a gate errs that rests on this test, where the two are equally good.
SIGNIFICANCE = 0.05


@dataclass(frozen=True)
class Discordance:
    """How two models differ on the same rows; rows that both get right, or both wrong, do not say which is better.

    Attributes:
        lost: rows that the champion alone gets right.
        gained: rows that the candidate alone gets right.
    """

    lost: int
    gained: int

    @property
    def p_worse(self) -> float:
        """One-sided mid-p of the champion being the better one: small where the candidate lost too many rows."""
        return upper_mid_p(self.lost, self.lost + self.gained)

    @property
    def p_better(self) -> float:
        """One-sided mid-p of the candidate being the better one."""
        return upper_mid_p(self.gained, self.lost + self.gained)

    @property
    def p_different(self) -> float:
        """Two-sided mid-p, for two models of which neither is the champion: 0 to 1."""
        return min(1.0, 2 * min(self.p_worse, self.p_better))


def discordance(candidate: npt.NDArray[np.bool_], champion: npt.NDArray[np.bool_]) -> Discordance:
    """Counts the rows that one of the two alone gets right.

    Args:
        candidate: bool (n,), whether it gives each row its own label.
        champion: bool (n,), of the same rows in the same order.
    """
    return Discordance(
        lost=int((champion & ~candidate).sum()),
        gained=int((candidate & ~champion).sum()),
    )


def upper_mid_p(successes: int, trials: int) -> float:
    """P(X > successes) + P(X = successes) / 2 for X binomial with `trials` fair coins.

    The mid-p of McNemar's exact conditional test, one-sided; twice the smaller side is the two-sided one
    (Fagerland, Lydersen and Laake 2013, BMC Medical Research Methodology 13:91).

    Args:
        successes: 0 to trials.
        trials: 0 or more; of none, both sides are equally likely: 0.5.
    """
    total = math.lgamma(trials + 1) - trials * math.log(2)

    def share(count: int) -> float:
        return math.exp(total - math.lgamma(count + 1) - math.lgamma(trials - count + 1))

    # The shorter tail is summed: it is the one that is small, and 1 minus it loses nothing.
    if 2 * successes < trials:
        return 1.0 - upper_mid_p(trials - successes, trials)
    return math.fsum(share(count) for count in range(successes + 1, trials + 1)) + share(successes) / 2
