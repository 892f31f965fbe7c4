"""Correct predictions of several models on the same rows -> tests of all pairs, and groups without a difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

from components.significance import discordance, holm
from pipeline.comparison.comparison import PairTest


def compare_pairs(correct: Mapping[str, npt.NDArray[np.bool_]]) -> tuple[PairTest, ...]:
    """Tests every pair of models (McNemar, mid-p, two-sided), with Holm's correction over all pairs.

    Args:
        correct: by name, bool (n,), whether a model classifies each row correctly; the same rows in the same order.
    """
    names = [
        (one, other) if correct[one].sum() >= correct[other].sum() else (other, one)
        for one, other in combinations(correct, 2)
    ]
    counts = [discordance(correct[better], correct[worse]) for better, worse in names]
    adjusted = holm([count.p_different for count in counts])
    return tuple(
        PairTest(better, worse, count.gained, count.lost, count.p_different, p)
        for (better, worse), count, p in zip(names, counts, adjusted, strict=True)
    )


def groups_without_difference(names: Sequence[str], pairs: Sequence[PairTest]) -> list[tuple[str, ...]]:
    """The maximal groups of two or more models in which no two differ significantly, with names in the given order.

    A model can be in several groups; two models differ significantly if and only if no group has both. The groups are
    the maximal cliques of the graph that joins models without a significant difference (Bron and Kerbosch 1973).
    """
    not_different: dict[str, set[str]] = {name: set() for name in names}
    for pair in pairs:
        if not pair.significant:
            not_different[pair.better].add(pair.worse)
            not_different[pair.worse].add(pair.better)
    groups: list[tuple[str, ...]] = []

    def grow(group: set[str], candidates: set[str], excluded: set[str]) -> None:
        if not candidates and not excluded and len(group) > 1:
            groups.append(tuple(name for name in names if name in group))
        for name in [name for name in names if name in candidates]:
            grow(group | {name}, candidates & not_different[name], excluded & not_different[name])
            candidates, excluded = candidates - {name}, excluded | {name}

    grow(set(), set(names), set())
    return groups
