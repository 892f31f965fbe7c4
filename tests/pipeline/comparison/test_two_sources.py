"""two_sources: the test of recipes keeps its level where seeds and images vary, and equals the definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import t as student
from scipy.stats import ttest_ind

from pipeline.comparison.two_sources import compare_recipes, seed_quantile


def models(generator, seeds, images, easy, between_seeds, interaction, shift=0.0):
    """Outcomes of models: an image is classified correctly if the sum of its ease and two kinds of luck is above 0."""
    luck = generator.normal(0, between_seeds, (seeds, 1)) + generator.normal(0, interaction, (seeds, images))
    return easy + luck + shift > 0


def loops(first, second):
    """The same statistic from the definitions: sums over every single outcome."""
    variances = []
    for outcomes in (first, second):
        seeds, images = outcomes.shape
        total = outcomes.mean()
        spread = sum((outcomes[s].mean() - total) ** 2 for s in range(seeds)) / (seeds - 1) / seeds
        interaction = sum(
            (outcomes[s, i] - outcomes[s].mean() - outcomes[:, i].mean() + total) ** 2
            for s in range(seeds)
            for i in range(images)
        ) / ((seeds - 1) * (images - 1))
        variances.append((spread, interaction / (seeds * images), seeds - 1))
    images = first.shape[1]
    by_image = [first[:, i].mean() - second[:, i].mean() for i in range(images)]
    center = sum(by_image) / images
    of_images = sum((value - center) ** 2 for value in by_image) / (images - 1) / images
    of_images = max(0.0, of_images - sum(shared for _, shared, _ in variances))
    variance = of_images + sum(spread for spread, _, _ in variances)
    parts = [(spread, degrees) for spread, _, degrees in variances] + [(of_images, images - 1)]
    freedom = variance**2 / sum(part**2 / degrees for part, degrees in parts)
    difference = first.mean() - second.mean()
    reach = student.ppf(0.975, freedom) * math.sqrt(variance)
    p = 2 * student.sf(abs(difference) / math.sqrt(variance), freedom)
    return difference, difference - reach, difference + reach, p


@pytest.mark.parametrize("shape", [(2, 2), (5, 5), (3, 7)])
def test_equals_the_definitions(shape):
    generator = np.random.default_rng(4)
    easy = generator.normal(1, 1, 60)
    first, second = (models(generator, seeds, 60, easy, 0.2, 0.5, 0.1 * seeds) for seeds in shape)
    found = compare_recipes(first, second)
    assert (found.difference, found.low, found.high, found.p) == pytest.approx(loops(first, second))


@pytest.mark.parametrize(
    ("seeds", "images", "between_seeds", "interaction"),
    [(5, 2000, 0.1, 0.5), (5, 2000, 0.0, 0.5), (3, 500, 0.05, 0.2), (5, 500, 0.3, 0.0), (2, 1000, 0.1, 0.5)],
)
def test_equal_recipes_differ_significantly_in_at_most_one_of_twenty_comparisons(
    seeds, images, between_seeds, interaction
):
    generator = np.random.default_rng(5)
    significant = 0
    for _ in range(400):
        easy = generator.normal(2, 1, images)
        one, other = (models(generator, seeds, images, easy, between_seeds, interaction) for _ in range(2))
        significant += compare_recipes(one, other).p < 0.05
    # 5 % of 400, and three standard errors.
    assert significant <= 33


def test_mcnemars_question_is_another_one():
    """Of single models of one recipe most pairs differ significantly; of five seeds they do not."""
    generator = np.random.default_rng(6)
    easy = generator.normal(2, 1, 20_000)
    one, other = (models(generator, 5, 20_000, easy, 0.1, 0.2) for _ in range(2))
    singles = sum(ttest_ind(one[s], other[s]).pvalue < 0.05 for s in range(5))
    assert singles >= 2
    assert compare_recipes(one, other).p > 0.05


def test_real_difference_is_found():
    generator = np.random.default_rng(7)
    easy = generator.normal(2, 1, 5000)
    better, worse = (models(generator, 5, 5000, easy, 0.05, 0.3, shift) for shift in (0.4, 0.0))
    found = compare_recipes(better, worse)
    assert found.p < 0.001
    assert 0 < found.low < found.difference < found.high
    back = compare_recipes(worse, better)
    assert (back.difference, back.low, back.high) == pytest.approx((-found.difference, -found.high, -found.low))
    assert back.p == pytest.approx(found.p)


def test_models_without_any_variance_are_compared_exactly():
    right, wrong = np.ones((3, 10), bool), np.zeros((3, 10), bool)
    assert compare_recipes(right, right).p == 1.0
    assert (compare_recipes(right, wrong).difference, compare_recipes(right, wrong).p) == (1.0, 0.0)
    assert compare_recipes(np.array([[True], [False]]), np.array([[True], [True]])).p > 0.05


@pytest.mark.parametrize("seeds", [2, 5, 20])
def test_quantile_is_students(seeds):
    assert seed_quantile(seeds) == pytest.approx(student.ppf(0.95, seeds - 1))
