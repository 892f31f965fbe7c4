"""agreement: equal classes and close probabilities, and which rows are otherwise, by how much."""

from __future__ import annotations

import numpy as np
import pytest

from components.agreement import compare, largest_difference


def answers(**rows):
    return {name: np.array(probabilities, np.float32) for name, probabilities in rows.items()}


def judged(pair, margin=1e-5, tolerance=1e-5):
    """The rows that are listed, whether the classes pass, whether the probabilities do, and the words of both."""
    found = compare(pair, margin, tolerance)
    classes, probabilities = found.rules
    return found.disagreements, classes.passed, probabilities.passed, (classes.words, probabilities.words)


def test_equal_answers_have_no_trouble():
    same = [[0.25, 0.75], [0.5, 0.5]]
    said = ("keras and onnx agree on 2 of 2 test images", "|Δp| ≤ 0.0e+00")
    assert judged(answers(keras=same, onnx=same)) == ((), True, True, said)


def test_disagreement_below_the_margin_is_listed_with_it_and_does_not_refuse():
    pair = answers(keras=[[0.9, 0.1], [0.500001, 0.499999]], onnx=[[0.9, 0.1], [0.499999, 0.500001]])
    listed, classes, probabilities, words = judged(pair)
    assert classes
    assert probabilities
    assert listed == ("test image 1: keras 0, onnx 1; margin 2.0e-06",)
    assert words[0] == "keras and onnx agree on 1 of 2 test images, the others with a margin < 1e-05"


def test_disagreement_above_the_margin_refuses():
    pair = answers(keras=[[0.501, 0.499]], onnx=[[0.499, 0.501]])
    listed, classes, probabilities, words = judged(pair, tolerance=1.0)
    assert not classes
    assert probabilities
    assert words[0] == f"1 disagreements with a margin ≥ 1e-05, first: {listed[0]}"
    assert judged(pair, margin=0.01, tolerance=1.0)[1]


def test_margin_of_exactly_the_limit_refuses():
    pair = answers(keras=[[0.625, 0.375]], onnx=[[0.375, 0.625]])
    assert not judged(pair, margin=0.25, tolerance=1.0)[1]
    assert judged(pair, margin=0.2501, tolerance=1.0)[1]


def test_one_sure_implementation_suffices_for_a_margin():
    assert not judged(answers(keras=[[0.500001, 0.499999]], onnx=[[0.4, 0.6]]), tolerance=1.0)[1]


def test_difference_above_the_tolerance_refuses_though_classes_agree():
    pair = answers(keras=[[0.9, 0.1]], onnx=[[0.8999, 0.1001]])
    listed, classes, probabilities, words = judged(pair)
    assert listed == ()
    assert classes
    assert not probabilities
    assert words[1] == "probabilities differ by up to 1.0e-04 > 1e-05"
    assert judged(pair, tolerance=1e-3)[2]


def test_difference_of_exactly_the_tolerance_is_none():
    pair = answers(keras=[[0.75, 0.25]], onnx=[[0.875, 0.125]])
    assert judged(pair, tolerance=0.125)[2]
    assert not judged(pair, tolerance=0.1249)[2]


def test_any_two_of_three_are_held_against_each_other():
    three = answers(keras=[[0.5, 0.5]], saved=[[0.25, 0.75]], onnx=[[0.75, 0.25]])
    assert largest_difference(three) == 0.5
    alike = [[0.25, 0.75]]
    listed, classes, _, _ = judged(answers(keras=alike, saved=alike, onnx=[[0.75, 0.25]]), tolerance=1.0)
    assert listed == ("test image 0: keras 1, saved 1, onnx 0; margin 5.0e-01",)
    assert not classes


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_answer_that_is_no_number_refuses(value):
    both = [[value, 0.5]]
    assert largest_difference(answers(keras=both, onnx=both)) == np.inf
    assert not judged(answers(keras=both, onnx=both), tolerance=1.0)[2]
