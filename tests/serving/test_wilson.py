"""wilson: the interval is equal to scipy's, and contains the proportion."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from serving.wilson import Estimate, estimate, wilson_interval

COUNTS = st.integers(1, 100_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(COUNTS)
def test_interval_is_scipys(counts):
    successes, trials = counts
    expected = binomtest(successes, trials).proportion_ci(0.95, method="wilson")
    assert wilson_interval(successes, trials) == pytest.approx((expected.low, expected.high), abs=1e-12)


@given(COUNTS)
def test_proportion_lies_in_its_interval_and_the_interval_in_0_to_1(counts):
    successes, trials = counts
    found = estimate(successes, trials)
    assert found.value == successes / trials
    assert 0 <= found.low <= found.value <= found.high <= 1


@given(COUNTS)
def test_failures_have_the_mirrored_interval(counts):
    successes, trials = counts
    low, high = wilson_interval(trials - successes, trials)
    assert wilson_interval(successes, trials) == pytest.approx((1 - high, 1 - low), abs=1e-12)


@given(st.integers(1, 10**9))
def test_ends_are_exactly_0_and_1_at_the_extremes(trials):
    assert wilson_interval(0, trials)[0] == 0
    assert wilson_interval(trials, trials)[1] == 1


def test_without_trials_there_is_no_estimate():
    assert estimate(0, 0) is None
    assert estimate(0, 1) == Estimate(0.0, *wilson_interval(0, 1))
