"""scatter: orders of the additions are what they are called, and runtimes stay within what they allow."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from components.rounding import scatter
from components.rounding.layers import Weighted, layers_of
from components.rounding.scatter import Rounding, measure_rounding
from serving.scoring.agreement import used_fraction
from tests.components.rounding.test_forward import images_of, unit

FLOATS = st.floats(-100, 100, width=32)


@given(st.integers(1, 5), st.integers(1, 9), st.integers(2, 4), st.data())
def test_sums_one_by_one_are_those_of_a_loop(rows, inputs, units, data):
    values = data.draw(arrays.arrays(np.float32, (rows, inputs), elements=FLOATS))
    kernel = data.draw(arrays.arrays(np.float32, (inputs, units), elements=FLOATS))
    expected = np.zeros((rows, units), np.float32)
    for row in range(rows):
        for unit_ in range(units):
            total = np.float32(0)
            for one, weight in zip(values[row], kernel[:, unit_], strict=True):
                total += one * weight
            expected[row, unit_] = total
    assert scatter._one_by_one(values, kernel).tolist() == expected.tolist()


def test_long_sums_one_by_one_are_those_of_a_loop():
    random = np.random.default_rng(0)
    values, kernel = (random.normal(size=size).astype(np.float32) for size in ((2, 2500), (2500, 3)))
    expected = np.zeros((2, 3), np.float32)
    for one, weights in zip(values.T, kernel, strict=True):
        expected += one[:, None] * weights
    assert scatter._one_by_one(values, kernel).tolist() == expected.tolist()


def test_permuted_sums_are_the_same_but_for_rounding():
    random = np.random.default_rng(0)
    values, kernel = random.normal(size=(3, 500)), random.normal(size=(500, 4))
    product = scatter._permuted(np.random.default_rng(1))
    np.testing.assert_allclose(product(values, kernel), values @ kernel, rtol=1e-12)
    in_float32 = values.astype(np.float32), kernel.astype(np.float32)
    assert (product(*in_float32) != product(*in_float32)).any()


@given(st.integers(0, 500), st.integers(-5, 600))
def test_rows_are_evenly_spread(rows, most):
    found = scatter._spread(max(rows, 1), most)
    assert len(found) == min(max(rows, 1), max(scatter.MIN_ROWS, most))
    assert found[0] == 0
    steps = np.diff([*found.tolist(), max(rows, 1)])
    assert steps.max() - steps.min() <= 1


def sums_of(inputs, seed=0):
    """A network that adds up many products, with the preprocessing left out."""
    random = np.random.default_rng(seed)
    kernel = (random.normal(size=(inputs, 3)) / np.sqrt(inputs)).astype(np.float32)
    return [Weighted("scores", kernel, np.zeros(3, np.float32), "softmax")]


def test_longer_sums_are_allowed_larger_differences():
    shapes = ((4, 4, 1), (64, 64, 1))
    short, long = (measure_rounding(sums_of(s[0] ** 2), unit(1), images_of(s, rows=20)).relative for s in shapes)
    assert 1e-7 < short < long / 2


def test_same_images_give_the_same_limits(write_untrained, unit_transform, tmp_path):
    layers = layers_of(write_untrained(tmp_path, (8, 8, 1), 4, hidden=(16,)))
    one, other = (measure_rounding(layers, unit_transform(1, 4), images_of((8, 8, 1), rows=30)) for _ in range(2))
    assert one.relative == other.relative
    assert one.exact.tolist() == other.exact.tolist()


@pytest.mark.parametrize(("budget", "calculated"), [(20, 20), (1, 16), (1000, 50)])
def test_exact_probabilities_are_calculated_for_as_many_images_as_the_budget_allows(monkeypatch, budget, calculated):
    monkeypatch.setattr(scatter, "EXACT_PRODUCTS", budget * 192)
    rounding = measure_rounding(sums_of(64), unit(1), images_of((8, 8, 1), rows=50))
    assert rounding.rows.tolist() == [number * 50 // calculated for number in range(calculated)]
    assert rounding.exact.shape == (calculated, 3)


def test_many_short_sums_are_left_to_the_matrix_library_and_long_ones_are_not(monkeypatch):
    monkeypatch.setattr(scatter, "ONE_BY_ONE_PRODUCTS", 1000)
    random = np.random.default_rng(0)
    for inputs in (scatter.SHORT_SUM, scatter.SHORT_SUM + 1):
        values, kernel = (random.normal(size=size).astype(np.float32) for size in ((5, inputs), (inputs, 3)))
        sums = scatter._one_by_one(values, kernel)
        in_turn = np.zeros((5, 3), np.float32)
        for column, weights in zip(values.T, kernel, strict=True):
            in_turn += column[:, None] * weights
        np.testing.assert_array_equal(sums, values @ kernel if inputs == scatter.SHORT_SUM else in_turn)


def test_sigmoids_may_be_off_by_an_absolute_error():
    kernel = np.float32([[-0.1, 0.01]])
    layers = [Weighted("scores", kernel, np.zeros(2, np.float32), "sigmoid")]
    images = np.uint8([200]).reshape(1, 1, 1, 1)
    rounding = measure_rounding(layers, replace(unit(1), scale=(1.0,)), images)
    total = 1 / (1 + np.exp(20)) + 1 / (1 + np.exp(-2))
    assert rounding.exact[0, 0] == pytest.approx(2.06e-9 / total, rel=1e-2)
    # 4 units in the last place of 1, over the sum, twice.
    assert rounding.floors[0] == pytest.approx(2 * 4 * 2.0**-24 / total, rel=1e-6)
    assert rounding.allowed[0, 0] > 100 * rounding.exact[0, 0]


def test_certain_models_may_differ_in_the_last_places():
    layers = [Weighted("scores", np.float32([[10, -10]]), np.zeros(2, np.float32), "softmax")]
    rounding = measure_rounding(layers, replace(unit(1), scale=(1.0,)), np.full((1, 1, 1, 1), 200, np.uint8))
    assert rounding.exact[0, 0] == 1
    below = np.float32([[np.nextafter(np.float32(1), np.float32(0)), 0]])
    assert used_fraction(below, rounding.exact, rounding.allowed).max() < 1
    assert rounding.relative < 1e-6


def test_coarse_limits_are_powers_of_two_above():
    rounding = Rounding(np.arange(1), np.ones((1, 1)), 3e-6, np.zeros(1))
    assert rounding.coarse().relative == 2.0**-18
    assert rounding.coarse().coarse().relative == 2.0**-18


def test_fractions_are_differences_over_the_limits():
    found, expected = np.float32([[0.5, 0.25]]), np.array([[0.25, 0.25]])
    assert used_fraction(found, expected, np.array([[0.5, 0.1]])).tolist() == [[0.5, 0.0]]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_exceed_every_limit(value):
    assert used_fraction(np.float32([[value]]), np.ones((1, 1)), np.ones((1, 1))).tolist() == [[np.inf]]
