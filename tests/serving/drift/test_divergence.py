"""divergence: PSI and Jensen-Shannon divergence, compared with scipy's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy

from serving.drift.divergence import jensen_shannon, shares, stability_index

histograms = st.integers(1, 30).flatmap(
    lambda bins: st.tuples(*[st.lists(st.integers(0, 10**6), min_size=bins, max_size=bins) for _ in range(2)])
)


def smoothed(counts):
    return (np.array(counts) + 0.5) / (sum(counts) + 0.5 * len(counts))


@given(histograms)
def test_stability_index_is_the_relative_entropy_both_ways(pair):
    expected, found = map(smoothed, pair)
    index = stability_index(*(shares(np.array(counts)) for counts in pair))
    assert index == pytest.approx(entropy(found, expected) + entropy(expected, found), abs=1e-12)
    assert np.isfinite(index)


@given(histograms)
def test_jensen_shannon_is_the_square_of_scipys_distance(pair):
    expected, found = map(smoothed, pair)
    divergence = jensen_shannon(*(shares(np.array(counts)) for counts in pair))
    assert divergence == pytest.approx(jensenshannon(expected, found, base=2) ** 2, abs=1e-12)
    assert 0 <= divergence <= 1


@given(st.lists(st.integers(0, 10**6), min_size=1))
def test_equal_histograms_have_no_divergence(counts):
    fractions = shares(np.array(counts))
    assert stability_index(fractions, fractions) == 0
    assert jensen_shannon(fractions, fractions) == 0


def test_rounding_does_not_make_the_divergence_negative():
    # Unclipped, it is -7.5e-17 with numpy's logarithm on x86.
    almost = [125 * 10**9, 9 * 10**9], [125 * 10**9 + 1, 9 * 10**9]
    assert jensen_shannon(*(shares(np.array(counts)) for counts in almost)) >= 0


def test_worked_example():
    # (0.6 - 0.5) ln(0.6 / 0.5) + (0.4 - 0.5) ln(0.4 / 0.5)
    expected, found = np.array([0.5, 0.5]), np.array([0.6, 0.4])
    assert stability_index(expected, found) == pytest.approx(0.1 * np.log(1.2) - 0.1 * np.log(0.8))
    assert jensen_shannon(np.array([1 - 1e-12, 1e-12]), np.array([1e-12, 1 - 1e-12])) == pytest.approx(1)


def test_many_samples_at_once_are_measured_as_single_ones():
    samples = np.random.default_rng(0).integers(0, 50, (20, 7))
    expected = shares(np.arange(7))
    for measure in (stability_index, jensen_shannon):
        together = measure(expected, shares(samples))
        assert together.tolist() == [float(measure(expected, shares(sample))) for sample in samples]
