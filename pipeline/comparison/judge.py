"""Outcomes of several models on the same rows -> each pair's test, and the groups that nobody can tell apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

from components.mcnemar import discordance
from pipeline.comparison.comparison import Pair
from pipeline.comparison.holm import holm


def judge_pairs(correct: Mapping[str, npt.NDArray[np.bool_]]) -> tuple[Pair, ...]:
    """Every pair's test (McNemar, mid-p, two-sided), with Holm's correction over all of them.

    Args:
        correct: by name, bool (n,), which rows a model gives their own label; of the same rows in the same order.

    Returns:
        In the order of `itertools.combinations`.
    """
    names = [
        (one, other) if correct[one].sum() >= correct[other].sum() else (other, one)
        for one, other in combinations(correct, 2)
    ]
    found = [discordance(correct[better], correct[worse]) for better, worse in names]
    adjusted = holm([pair.p_different for pair in found])
    return tuple(
        Pair(better, worse, pair.gained, pair.lost, pair.p_different, p)
        for (better, worse), pair, p in zip(names, found, adjusted, strict=True)
    )


def alike(names: Sequence[str], pairs: Sequence[Pair]) -> list[tuple[str, ...]]:
    """The largest groups in which no two differ significantly; one may stand in several of them.

    So two that share no group differ significantly, and two that share one do not.

    Args:
        names: all that were compared; groups name theirs in this order.
        pairs: each two of them once.

    Returns:
        Groups of two or more: the maximal cliques of the graph of what is not told apart (Bron and Kerbosch 1973).
    """
    near: dict[str, set[str]] = {name: set() for name in names}
    for pair in pairs:
        if not pair.significant:
            near[pair.better].add(pair.worse)
            near[pair.worse].add(pair.better)
    groups: list[tuple[str, ...]] = []

    def grow(group: set[str], may: set[str], seen: set[str]) -> None:
        if not may and not seen and len(group) > 1:
            groups.append(tuple(name for name in names if name in group))
        for name in [name for name in names if name in may]:
            grow(group | {name}, may & near[name], seen & near[name])
            may, seen = may - {name}, seen | {name}

    grow(set(), set(names), set())
    return groups
