"""pair_tests: the p-values against scipy's, and the groups against a search of all subsets."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from pipeline.comparison.comparison import PairTest
from pipeline.comparison.pair_tests import compare_pairs, groups_without_difference

outcomes = st.lists(st.lists(st.booleans(), min_size=30, max_size=30), min_size=2, max_size=5)


@given(outcomes)
def test_p_values_are_mcnemars_two_sided_mid_p(rows):
    correct = {f"m{index}": np.array([row]) for index, row in enumerate(rows)}
    pairs = compare_pairs(correct)
    assert [{pair.better, pair.worse} for pair in pairs] == [set(names) for names in combinations(correct, 2)]
    for pair in pairs:
        better, worse = correct[pair.better][0], correct[pair.worse][0]
        assert pair.gained == sum(b and not w for b, w in zip(better, worse, strict=True))
        assert pair.lost == sum(w and not b for b, w in zip(better, worse, strict=True))
        assert pair.gained >= pair.lost
        trials = pair.gained + pair.lost
        tail = binom.sf(pair.gained, trials, 0.5) + binom.pmf(pair.gained, trials, 0.5) / 2
        assert pair.p == pytest.approx(min(1.0, 2 * tail))
        assert pair.p <= pair.adjusted_p <= min(1.0, len(pairs) * pair.p) + 1e-12


def test_equal_models_do_not_differ_significantly():
    same = np.array([[True, False, True]])
    (pair,) = compare_pairs({"one": same, "other": same})
    assert (pair.better, pair.worse, pair.gained, pair.lost, pair.p) == ("one", "other", 0, 0, 1.0)


@given(
    st.integers(1, 6).flatmap(lambda n: st.lists(st.booleans(), min_size=n * (n - 1) // 2, max_size=n * (n - 1) // 2))
)
def test_groups_are_the_largest_without_a_significant_difference(significant):
    count = next(n for n in range(1, 7) if n * (n - 1) // 2 == len(significant)) if significant else 1
    names = "abcdef"[:count]
    pairs = [
        PairTest(one, other, 1, 0, 0.0, 0.001 if differs else 0.5)
        for (one, other), differs in zip(combinations(names, 2), significant, strict=True)
    ]
    equals = {frozenset(two) for two, differs in zip(combinations(names, 2), significant, strict=True) if not differs}
    groups = [
        set(group)
        for size in range(2, count + 1)
        for group in combinations(names, size)
        if all(frozenset(two) in equals for two in combinations(group, 2))
    ]
    largest = [group for group in groups if not any(group < other for other in groups)]
    found = groups_without_difference(names, pairs)
    assert sorted(found) == sorted(tuple(sorted(group)) for group in largest)
