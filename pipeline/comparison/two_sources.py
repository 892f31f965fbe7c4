"""Correct predictions of several seeds' models of two recipes -> test of the recipes: images and seeds both vary."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from components.significance import SIGNIFICANCE

# bool (seeds, n): whether the model of a seed classifies each test image correctly.
Outcomes = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class RecipeTest:
    """The difference of two recipes, for other seeds and for other images of the same kind.

    Attributes:
        difference: the mean accuracy of the first minus that of the second, -1 to 1.
        low: the lower end of its 95 % interval.
        high: the upper end.
        p: two-sided p-value, 0 to 1.
    """

    difference: float
    low: float
    high: float
    p: float


def compare_recipes(first: Outcomes, second: Outcomes) -> RecipeTest:
    """Tests whether two recipes have the same expected accuracy.

    Images and seeds are two random samples, as cases and readers are in studies of diagnosis: each model sees every
    image, and each seed belongs to one recipe. The variance has a part of each, by the analysis of variance of Dorfman,
    Berbaum and Metz 1992 (Investigative Radiology 27:723), with the degrees of freedom of Hillis 2007 (Statistics in
    Medicine 26:596). With McNemar's test, only the images vary, so it finds differences between seeds.

    Args:
        first: two or more seeds.
        second: two or more seeds, the same images in the same order.
    """
    from scipy.special import stdtr, stdtrit

    difference = float(first.mean() - second.mean())
    seeds = [_variance_of_mean(outcomes) for outcomes in (first, second)]
    images = _variance_of_images(first, second)
    variance = sum(seeds) + images
    if variance == 0:
        return RecipeTest(difference, difference, difference, 1.0 if difference == 0 else 0.0)
    parts = [(seeds[0], len(first) - 1), (seeds[1], len(second) - 1), (images, first.shape[1] - 1)]
    freedom = variance**2 / sum(part**2 / degrees for part, degrees in parts if part)
    error = math.sqrt(variance)
    reach = float(stdtrit(freedom, 1 - SIGNIFICANCE / 2)) * error
    p = 2 * float(stdtr(freedom, -abs(difference) / error))
    return RecipeTest(difference, difference - reach, difference + reach, p)


def seed_quantile(seeds: int) -> float:
    """The quantile of Student's t, one-sided at the level `SIGNIFICANCE`, for a deviation of two or more seeds."""
    from scipy.special import stdtrit

    return float(stdtrit(seeds - 1, 1 - SIGNIFICANCE))


def _variance_of_mean(outcomes: Outcomes) -> float:
    """The variance of a recipe's mean accuracy because of the seeds."""
    return float(outcomes.mean(axis=1).var(ddof=1)) / len(outcomes)


def _variance_of_images(first: Outcomes, second: Outcomes) -> float:
    """The variance of the difference because of the images, without what they share with the seeds; 0 or more."""
    images = int(first.shape[1])
    if images < 2:
        return 0.0
    by_image = first.mean(axis=0) - second.mean(axis=0)
    # The interaction of images and seeds is in the variance of the seeds' means already.
    shared: float = sum(_interaction(outcomes) / outcomes.size for outcomes in (first, second))
    spread = float(by_image.var(ddof=1)) / images
    return max(0.0, spread - shared)


def _interaction(outcomes: Outcomes) -> float:
    """The mean square of the interaction of images and seeds."""
    seeds, images = map(int, outcomes.shape)
    total = float(outcomes.mean())
    by_seed, by_image = outcomes.mean(axis=1), outcomes.mean(axis=0)
    # Of 0 and 1, the sum of the squares is the sum.
    squares = (
        float(outcomes.sum())
        - images * float((by_seed**2).sum())
        - seeds * float((by_image**2).sum())
        + outcomes.size * total**2
    )
    return max(0.0, squares) / ((seeds - 1) * (images - 1))
