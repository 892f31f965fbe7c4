"""parity: backends must predict equal classes and close probabilities; rows that differ are listed."""

from __future__ import annotations

import numpy as np
import pytest

from components.verify.parity import check_parity, largest_difference


def by_backend(**rows):
    return {name: np.array(probabilities, np.float32) for name, probabilities in rows.items()}


def judged(pair, margin=1e-5, tolerance=1e-5):
    """The listed rows, whether the classes and the probabilities pass, and the messages of both rules."""
    found = check_parity(pair, margin, tolerance)
    classes, probabilities = found.rules
    return found.disagreements, classes.passed, probabilities.passed, (classes.message, probabilities.message)


def test_equal_probabilities_pass():
    same = [[0.25, 0.75], [0.5, 0.5]]
    messages = ("keras and onnx agree on 2 of 2 test images", "|Δp| ≤ 0.0e+00")
    assert judged(by_backend(keras=same, onnx=same)) == ((), True, True, messages)


def test_disagreement_below_the_margin_is_listed_and_does_not_refuse():
    pair = by_backend(keras=[[0.9, 0.1], [0.500001, 0.499999]], onnx=[[0.9, 0.1], [0.499999, 0.500001]])
    listed, classes, probabilities, messages = judged(pair)
    assert classes
    assert probabilities
    assert listed == ("test image 1: keras 0, onnx 1; margin 2.0e-06",)
    assert messages[0] == "keras and onnx agree on 1 of 2 test images, the others with a margin < 1e-05"


def test_disagreement_above_the_margin_refuses():
    pair = by_backend(keras=[[0.501, 0.499]], onnx=[[0.499, 0.501]])
    listed, classes, probabilities, messages = judged(pair, tolerance=1.0)
    assert not classes
    assert probabilities
    assert messages[0] == f"1 disagreements with a margin ≥ 1e-05, first: {listed[0]}"
    assert judged(pair, margin=0.01, tolerance=1.0)[1]


def test_margin_of_exactly_the_limit_refuses():
    pair = by_backend(keras=[[0.625, 0.375]], onnx=[[0.375, 0.625]])
    assert not judged(pair, margin=0.25, tolerance=1.0)[1]
    assert judged(pair, margin=0.2501, tolerance=1.0)[1]


def test_margin_is_that_of_the_most_certain_backend():
    assert not judged(by_backend(keras=[[0.500001, 0.499999]], onnx=[[0.4, 0.6]]), tolerance=1.0)[1]


def test_difference_above_the_tolerance_refuses_even_if_classes_agree():
    pair = by_backend(keras=[[0.9, 0.1]], onnx=[[0.8999, 0.1001]])
    listed, classes, probabilities, messages = judged(pair)
    assert listed == ()
    assert classes
    assert not probabilities
    assert messages[1] == "probabilities differ by up to 1.0e-04 > 1e-05"
    assert judged(pair, tolerance=1e-3)[2]


def test_difference_of_exactly_the_tolerance_passes():
    pair = by_backend(keras=[[0.75, 0.25]], onnx=[[0.875, 0.125]])
    assert judged(pair, tolerance=0.125)[2]
    assert not judged(pair, tolerance=0.1249)[2]


def test_every_pair_of_three_backends_is_compared():
    three = by_backend(keras=[[0.5, 0.5]], saved=[[0.25, 0.75]], onnx=[[0.75, 0.25]])
    assert largest_difference(three) == 0.5
    alike = [[0.25, 0.75]]
    listed, classes, _, _ = judged(by_backend(keras=alike, saved=alike, onnx=[[0.75, 0.25]]), tolerance=1.0)
    assert listed == ("test image 0: keras 1, saved 1, onnx 0; margin 5.0e-01",)
    assert not classes


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_probability_that_is_not_finite_refuses(value):
    both = [[value, 0.5]]
    assert largest_difference(by_backend(keras=both, onnx=both)) == np.inf
    assert not judged(by_backend(keras=both, onnx=both), tolerance=1.0)[2]
