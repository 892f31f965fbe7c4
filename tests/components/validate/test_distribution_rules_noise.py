"""distribution_rules: distances equal scipy's, and samples of one distribution stay within the noise."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon

from components.validate.distribution_rules import QUANTILE, chi_squared_quantile, distance

COUNTS = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=1, max_size=30).filter(
    lambda pairs: all(map(any, zip(*pairs, strict=True)))
)


@given(COUNTS)
def test_distance_equals_scipys_over_the_occupied_bins(pairs):
    occupied = np.array([pair for pair in pairs if any(pair)]).T
    # Half a count more in each bin (Krichevsky and Trofimov), so that an empty bin is not impossible.
    expected = jensenshannon(*(occupied + 0.5), base=2) ** 2
    one, other = zip(*pairs, strict=True)
    assert distance(one, other, (7, 9)).js == pytest.approx(expected, abs=1e-12)


def test_bins_that_are_empty_in_both_histograms_do_not_count():
    assert distance([3, 0, 5, 0], [1, 0, 9, 0], (8, 10)) == distance([3, 5], [1, 9], (8, 10))
    assert distance([7, 0], [9, 0], (7, 9)) == (0.0, 0.0)


@pytest.mark.parametrize("degrees", [1, 2, 3, 9, 15, 25, 46, 255])
def test_chi_squared_quantile_is_at_most_four_percent_above_scipys(degrees):
    expected = scipy.stats.chi2.ppf(0.999, degrees)
    assert expected * 0.999 <= chi_squared_quantile(degrees) <= expected * 1.04
    assert pytest.approx(scipy.stats.norm.ppf(0.999)) == QUANTILE


@pytest.mark.parametrize("shape", ["even", "steep"])
@pytest.mark.parametrize("sizes", [(50, 50), (50, 60_000), (200, 800), (5000, 1000)])
@pytest.mark.parametrize("classes", [2, 10, 47])
def test_samples_of_one_distribution_are_within_the_noise(classes, sizes, shape):
    random = np.random.default_rng(1)
    weights = np.ones(classes) if shape == "even" else 1 / np.arange(1, classes + 1)
    probabilities = weights / weights.sum()
    pairs = [[random.multinomial(size, probabilities) for size in sizes] for _ in range(1000)]
    found = [distance(*pair, sizes) for pair in pairs]
    assert sum(js > noise for js, noise in found) <= 10
    assert not any(js > 0.1 + noise for js, noise in found)


@pytest.mark.parametrize("sizes", [(50, 50), (50, 200), (1000, 200)])
def test_pixels_are_within_the_noise_although_those_of_one_image_are_dependent(sizes):
    random = np.random.default_rng(2)
    for _ in range(300):
        # The worst case: all pixels of an image have one value.
        histograms = [np.bincount(random.integers(0, 16, size), minlength=16) * 64 for size in sizes]
        js, noise = distance(*histograms, sizes)
        assert js < 0.1 + noise


@pytest.mark.parametrize("rows", [300, 5000])
def test_different_distributions_are_beyond_the_noise(rows):
    here, there = [rows // 10] * 10, [rows // 2] + [rows // 18] * 9
    js, noise = distance(here, there, (rows, rows))
    assert js > 0.1 + noise
