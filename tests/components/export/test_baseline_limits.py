"""baseline: limits are above the distances that sampling noise gives."""

from __future__ import annotations

import math

import numpy as np
from scipy.stats import chi2

from components.export.baseline import choose_limits
from serving.drift.features import DESCRIPTIONS


def even(rows, bins):
    """One-hot rows, evenly distributed over the bins, by feature."""
    one_hot = (np.arange(rows)[:, None] % bins == np.arange(bins)).astype(np.int64)
    return dict.fromkeys(DESCRIPTIONS, one_hot)


def test_limits_are_just_above_sampling_noise(tmp_path):
    """PSI times rows of samples from one distribution is χ² with bins - 1 degrees of freedom, asymptotically."""
    chosen = choose_limits(dict.fromkeys(DESCRIPTIONS, (10**6,) * 8), even(4000, 8))
    assert [limits.rows for limits in chosen] == [50, 100, 200, 400, 800, 1600]
    for limits in chosen:
        chance = chi2.isf(1 / 500, 7) / limits.rows
        for feature, floor in {"pixels": 0.1, "intensity": 0.1, "classes": 0.1, "confidence": 0.25}.items():
            limit = limits.divergences[feature]
            assert limit.psi >= max(floor, 1.4 * chance) - 1e-9
            assert limit.psi <= max(floor, 4 * chance)
            assert limit.js >= floor / (8 * math.log(2)) - 1e-4
            assert limit.js <= max(floor, 4 * chance) / (8 * math.log(2)) + 1e-4


def test_limits_have_four_places_and_fall_as_samples_grow():
    chosen = choose_limits(dict.fromkeys(DESCRIPTIONS, (500,) * 8), even(100, 8))
    for feature in DESCRIPTIONS:
        psi = [limits.divergences[feature].psi for limits in chosen]
        assert psi == sorted(psi, reverse=True)
        assert psi == [round(value, 4) for value in psi]
    assert all(0 < limits.divergences[feature].js <= 1 for limits in chosen for feature in DESCRIPTIONS)
