"""significance: the mid-p equals exact arithmetic, scipy's binomial distribution and published examples."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import binom, norm

from components.significance import Discordance, difference_interval, discordance, upper_mid_p


def exact_mid_p(successes, trials):
    """In integers: the share of all 2^trials outcomes with more successes, plus half of those with as many."""
    outcomes, doubled = math.comb(trials, successes), 0
    for count in range(successes, trials + 1):
        doubled += outcomes if count == successes else 2 * outcomes
        outcomes = outcomes * (trials - count) // (count + 1)
    return float(Fraction(doubled, 2 ** (trials + 1)))


COUNTS = st.integers(0, 3000).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials)))


@given(COUNTS)
# This far out in the tail, scipy's distribution has an error of 10 %.
@example((1036, 1075))
def test_mid_p_is_exact_even_if_it_is_tiny(counts):
    assert upper_mid_p(*counts) == pytest.approx(exact_mid_p(*counts), rel=1e-9, abs=1e-300)


@given(COUNTS)
def test_mid_p_equals_that_of_scipys_distribution(counts):
    expected = binom.sf(*counts, 0.5) + binom.pmf(*counts, 0.5) / 2
    assert upper_mid_p(*counts) == pytest.approx(expected, abs=1e-12)


# Fagerland, Lydersen and Laake 2013 (BMC Medical Research Methodology 13:91): discordant pairs, two-sided mid-p.
# Airway hyper-responsiveness before and after stem cell transplantation, and complete response before and after
# consolidation therapy.
@pytest.mark.parametrize(("fewer", "more", "published"), [(1, 7, 0.0391), (6, 16, 0.0347)])
def test_mid_p_equals_that_of_published_examples(fewer, more, published):
    assert 2 * Discordance(lost=more, gained=fewer).p_worse == pytest.approx(published, abs=5e-5)
    assert 2 * Discordance(lost=fewer, gained=more).p_better == pytest.approx(published, abs=5e-5)


@given(st.integers(0, 200), st.integers(0, 200))
def test_two_sided_p_is_twice_the_smaller_side_and_at_most_one(lost, gained):
    trials, fewer = lost + gained, min(lost, gained)
    two_sided = 2 * binom.cdf(fewer, trials, 0.5) - binom.pmf(fewer, trials, 0.5)
    assert Discordance(lost, gained).p_different == pytest.approx(min(1.0, two_sided))
    assert Discordance(lost, gained).p_different == Discordance(gained, lost).p_different


def test_two_sided_p_is_at_most_one_if_rounding_puts_both_sides_above_a_half():
    assert all(Discordance(n, n).p_different <= 1 for n in range(50))


def test_sides_sum_to_one_and_equal_counts_give_a_half():
    assert Discordance(0, 0).p_worse == Discordance(0, 0).p_better == 0.5
    assert Discordance(4, 4).p_worse == pytest.approx(0.5)
    assert Discordance(30, 12).p_worse + Discordance(30, 12).p_better == pytest.approx(1)
    assert Discordance(30, 12).p_worse < 0.05 < Discordance(12, 30).p_worse


def test_only_rows_that_one_model_gets_right_are_counted():
    champion = np.array([True, True, True, False, False, True])
    candidate = np.array([True, False, False, True, False, True])
    assert discordance(candidate, champion) == Discordance(lost=2, gained=1)


def likelihood_statistic(gained, lost, rows, difference):
    """Tango's score statistic, with the nuisance parameter found by maximising the likelihood numerically."""

    def negative(share):
        cells = ((gained, share + difference), (lost, share), (rows - gained - lost, 1 - 2 * share - difference))
        return -sum(count * math.log(max(p, 1e-300)) for count, p in cells if count)

    low, high = max(0.0, -difference), (1 - difference) / 2
    share = minimize_scalar(negative, bounds=(low, high), method="bounded", options={"xatol": 1e-12}).x
    return (gained - lost - rows * difference) / math.sqrt(rows * (2 * share + difference - difference**2))


TABLES = st.integers(1, 20_000).flatmap(
    lambda rows: st.tuples(st.integers(0, rows), st.integers(0, rows), st.just(rows)).filter(
        lambda table: table[0] + table[1] <= table[2]
    )
)


@given(TABLES)
@example((0, 0, 1))
@example((1, 0, 1))
@example((0, 100, 100))
@example((96, 153, 10_000))
def test_score_test_rejects_at_the_ends_of_the_interval(table):
    gained, lost, rows = table
    low, high = difference_interval(Discordance(lost=lost, gained=gained), rows)
    assert -1 <= low <= (gained - lost) / rows <= high <= 1
    for end, quantile in ((low, norm.ppf(0.95)), (high, norm.ppf(0.05))):
        if abs(end) < 1 - 1e-9:
            assert likelihood_statistic(gained, lost, rows, end) == pytest.approx(quantile, abs=2e-3)


# The table of Fagerland, Lydersen and Laake 2014 (Statistics in Medicine 33:2850) on airway hyper-responsiveness.
def test_interval_equals_a_published_example(monkeypatch):
    monkeypatch.setattr("components.significance.QUANTILE", norm.ppf(0.975))
    low, high = difference_interval(Discordance(lost=7, gained=1), 21)
    assert (round(low, 3), round(high, 3)) == (-0.517, -0.026)


@given(TABLES)
def test_interval_of_the_opposite_comparison_is_the_opposite_one(table):
    gained, lost, rows = table
    low, high = difference_interval(Discordance(lost=lost, gained=gained), rows)
    assert difference_interval(Discordance(lost=gained, gained=lost), rows) == pytest.approx((-high, -low), abs=1e-9)


def test_interval_covers_the_truth_in_nine_of_ten_samples():
    generator = np.random.default_rng(1)
    for gained, lost, rows in ((0.01, 0.015, 2000), (0.03, 0.02, 500), (0.001, 0.002, 5000)):
        inside = 0
        for counts in generator.multinomial(rows, (gained, lost, 1 - gained - lost), 2000):
            low, high = difference_interval(Discordance(lost=int(counts[1]), gained=int(counts[0])), rows)
            inside += low <= gained - lost <= high
        # Five standard errors of a share of 0.9 in 2,000 samples are 0.034.
        assert 0.866 < inside / 2000 < 0.934
