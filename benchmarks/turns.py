"""Pieces of work -> their figures, measured in turn on a shared machine, and the ratio of two with its spread."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

Figure = TypeVar("Figure")


@dataclass(frozen=True)
class Ratio:
    """The ratio of two figures over the rounds.

    Attributes:
        median: the median of the rounds.
        low: the 10 % quantile; the minimum of fewer than 10 rounds.
        high: the 90 % quantile; the maximum of fewer than 10 rounds.
    """

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f} to {self.high:.2f})"


def take_turns(works: Mapping[str, Callable[[], Figure]], rounds: int) -> dict[str, list[Figure]]:
    """Runs each work once per round, one after the other, so that a slow minute affects all of them.

    Args:
        works: functions by name; each does the work and returns its figure.
        rounds: number of rounds.
    """
    figures: dict[str, list[Figure]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            figures[name].append(work())
    return figures


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Ratio:
    """The ratio of our figures to theirs, from the same rounds."""
    ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
    if len(ratios) < 10:
        return Ratio(statistics.median(ratios), min(ratios), max(ratios))
    low, *_, high = statistics.quantiles(ratios, n=10)
    return Ratio(statistics.median(ratios), low, high)
