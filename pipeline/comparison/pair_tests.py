"""Correct predictions of several models on the same rows -> tests of all pairs, and groups without a difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
import numpy.typing as npt

from components.significance import discordance, holm
from pipeline.comparison.comparison import PairTest
from pipeline.comparison.two_sources import compare_recipes


def compare_pairs(correct: Mapping[str, npt.NDArray[np.bool_]]) -> tuple[PairTest, ...]:
    """Tests every pair of presets, with Holm's correction over all pairs.

    Args:
        correct: by name, bool (seeds, n), whether the model of each seed classifies each row correctly; the same rows
            in the same order. Presets with two or more seeds are compared as recipes, else their first models are.
    """
    names = [
        (one, other) if correct[one].mean() >= correct[other].mean() else (other, one)
        for one, other in combinations(correct, 2)
    ]
    tests = [_compare_pair(better, worse, correct[better], correct[worse]) for better, worse in names]
    adjusted = holm([test.p for test in tests])
    return tuple(replace(test, adjusted_p=p) for test, p in zip(tests, adjusted, strict=True))


def _compare_pair(better: str, worse: str, first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]) -> PairTest:
    """The test of one pair, without the correction."""
    if min(len(first), len(second)) > 1:
        found = compare_recipes(first, second)
        return PairTest(better, worse, None, None, found.p, found.p, found.difference, (found.low, found.high))
    count = discordance(first[0], second[0])
    return PairTest(better, worse, count.gained, count.lost, count.p_different, count.p_different)


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
