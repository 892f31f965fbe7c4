"""Pieces of work -> their figures, taken in turn on a shared machine, and the ratio of two of them with its spread."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Ratio:
    """How many times as large one figure is as the other, round by round.

    Attributes:
        median: of the rounds.
        low: 8 of 10 rounds lie between this
        high: and this; with few rounds the smallest and the largest of them.
    """

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f} to {self.high:.2f})"


def take_turns(works: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Does each work once a round, one after the other, so that a slow minute is everybody's.

    Args:
        works: by name, what does it and returns its figure.
        rounds: how often.
    """
    figures: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            figures[name].append(work())
    return figures


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Ratio:
    """Ours to theirs, figures of the same rounds."""
    ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
    if len(ratios) < 10:
        return Ratio(statistics.median(ratios), min(ratios), max(ratios))
    low, *_, high = statistics.quantiles(ratios, n=10)
    return Ratio(statistics.median(ratios), low, high)
