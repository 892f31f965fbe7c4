"""parity: backends must be as close to the exact probabilities as rounding allows; rows that differ are listed."""

from __future__ import annotations

import numpy as np
import pytest

from components.rounding.scatter import Rounding
from components.verify.parity import Answer, Expected, compare_classes, compare_probabilities, largest_difference

EXACT = [[0.9, 0.1], [0.5001, 0.4999], [0.25, 0.75]]


def expected(allowed=1e-3):
    return Expected(np.array(EXACT), np.full((3, 2), allowed))


def answer(probabilities, name="ONNX", rows=None):
    rows = np.arange(len(probabilities)) if rows is None else np.array(rows)
    return Answer(name, np.array(probabilities, np.float32), rows)


def changed(row, by):
    probabilities = np.array(EXACT)
    probabilities[row] += (by, -by)
    return probabilities


def judged(*answers, allowed=1e-3):
    return compare_probabilities("probabilities", "all of them", answers, expected(allowed))


def test_largest_difference_is_reported_as_a_fraction_with_its_place():
    rule, used = judged(answer(changed(2, 2e-4)), answer(changed(1, -5e-4), "Keras"))
    assert rule.passed
    assert used == pytest.approx(0.5, rel=1e-3)
    # Both classes of the image differ by the same, so either may be named.
    assert rule.message.startswith("all of them: at most 0.50 of what rounding allows (5.0e-04 of 1.0e-03: ")
    assert "Keras, test image 1, class " in rule.message


def test_difference_above_the_limit_refuses_with_both_probabilities():
    rule, used = judged(answer(changed(2, 0.125)), answer(EXACT, "Keras"))
    assert not rule.passed
    assert used == pytest.approx(125, rel=1e-3)
    assert rule.message == (
        "ONNX, test image 2, class 0: probability 0.375, the trained weights give 0.25, and rounding allows a "
        "difference of 1.0e-03: export again"
    )


@pytest.mark.parametrize(("by", "passes"), [(0.125, True), (0.1251, False)])
def test_difference_of_exactly_the_limit_passes(by, passes):
    assert judged(answer(changed(2, by)), allowed=0.125)[0].passed is passes


def test_some_rows_are_compared_with_theirs():
    assert judged(answer([EXACT[2]], rows=[2]))[0].passed
    rule, _ = judged(answer([EXACT[2]], rows=[1]))
    assert "test image 1" in rule.message


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_probability_that_is_not_finite_refuses(value):
    rule, used = judged(answer([[0.9, 0.1], [value, 0.5], [0.25, 0.75]]))
    assert not rule.passed
    assert used == np.inf
    assert "ONNX, test image 1, class 0" in rule.message
    assert largest_difference([np.float32([[value, 0.5]])] * 2) == np.inf


def test_equal_classes_pass():
    rule, listed = compare_classes([answer(EXACT, "Keras"), answer(EXACT)], expected())
    assert (rule.passed, listed) == (True, ())
    assert rule.message == "Keras and ONNX agree on 3 of 3 test images"


def test_other_class_within_rounding_is_listed_and_does_not_refuse():
    rule, listed = compare_classes([answer(EXACT, "Keras"), answer(changed(1, -3e-4))], expected())
    assert rule.passed
    assert listed == ("test image 1: the trained weights 0, Keras 0, ONNX 1; margin 2.0e-04, rounding allows 2.0e-03",)
    assert rule.message == "Keras and ONNX agree on 2 of 3 test images, the others are decided by rounding"


def test_other_class_beyond_rounding_refuses():
    rule, listed = compare_classes([answer(EXACT, "Keras"), answer(changed(2, 0.5))], expected())
    assert not rule.passed
    assert rule.message == f"1 of 3 test images are given other classes; first: {listed[0]}: export again"
    assert listed[0].startswith("test image 2: the trained weights 1, Keras 1, ONNX 0; margin 5.0e-01")


def test_images_without_exact_probabilities_are_compared_with_keras():
    rounding = Rounding(np.array([1]), np.array([[0.5, 0.5]]), 1e-3, np.array([1e-6]))
    keras = np.float32([[0.75, 0.25], [0.1, 0.9]])
    found = Expected.of(rounding, keras)
    assert found.probabilities.tolist() == [[0.75, 0.25], [0.5, 0.5]]
    # Two rounded values may be twice as far apart as one is from the exact value.
    np.testing.assert_allclose(found.allowed, [[2 * (0.75e-3 + 1e-6), 2 * (0.25e-3 + 1e-6)], [5.01e-4, 5.01e-4]])
    assert keras.tolist()[0] == [0.75, 0.25]


def test_every_pair_of_backends_counts_for_the_largest_difference():
    three = [np.float32([[0.5, 0.5]]), np.float32([[0.25, 0.75]]), np.float32([[0.75, 0.25]])]
    assert largest_difference(three) == 0.5
