"""precisions: int8 may serve unless it is worse than the float model, or not good enough by itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import binom

from components.artifacts.rule import Rule
from components.evaluate import judge
from components.precisions import judge_int8, score


def answers(both, float32_alone, int8_alone, neither):
    """Labels, and the classes that two models give, with so many rows right."""
    labels = np.arange(both + float32_alone + int8_alone + neither) % 3
    float32, int8 = labels.copy(), labels.copy()
    float32[both + float32_alone :] += 1
    int8[both : both + float32_alone] += 1
    int8[both + float32_alone + int8_alone :] += 1
    return int8, float32, labels


def judged(int8, float32, labels, min_accuracy):
    rule = Rule("accuracy", *judge(int((int8 == labels).sum()), len(labels), min_accuracy))
    return judge_int8(int8, float32, labels, [rule])


def test_equal_models_both_serve():
    int8, float32, labels = answers(98, 0, 0, 2)
    assert judged(int8, float32, labels, 0.9) == {
        "file": "model.int8.onnx",
        "correct": 98,
        "rows": 100,
        "accuracy": 0.98,
        "agreement": 1.0,
        "lost": 0,
        "gained": 0,
        "p_worse": 0.5,
    }


def test_worse_model_is_left_out_with_the_arithmetic_though_it_passes_the_gate():
    said = judged(*answers(950, 12, 3, 35), 0.9)
    assert "file" not in said
    assert said["left_out"] == "12 test rows that float32 gets right are wrong, 3 the other way round, p 0.011 < 0.05"
    assert (said["correct"], said["lost"], said["gained"], said["agreement"]) == (953, 12, 3, 0.985)
    assert said["p_worse"] == pytest.approx(binom.sf(12, 15, 0.5) + binom.pmf(12, 15, 0.5) / 2)


def test_model_that_is_not_good_enough_by_itself_is_left_out_though_the_float_one_is_no_better():
    said = judged(*answers(930, 3, 3, 64), 0.92)
    assert "file" not in said
    assert said["left_out"].startswith("accuracy 0.9330 (933 of 1,000)")
    assert said["left_out"].endswith("< 0.92")
    assert said["p_worse"] == pytest.approx(0.5)


def test_better_model_serves():
    assert judged(*answers(900, 0, 50, 50), 0.9)["file"] == "model.int8.onnx"


@given(arrays(np.int64, (3, 20), elements=st.integers(0, 2)))
def test_figures_are_those_of_the_rows(classes):
    int8, float32, labels = classes
    said = judged(int8, float32, labels, 0.0)
    right = [(a == c, b == c) for a, b, c in zip(*classes.tolist(), strict=True)]
    assert said["lost"] == right.count((False, True))
    assert said["gained"] == right.count((True, False))
    assert said["agreement"] == pytest.approx(sum(a == b for a, b in zip(int8, float32, strict=True)) / 20)
    correct = sum(ours for ours, _ in right)
    assert (said["correct"], said["rows"], said["accuracy"]) == (correct, 20, correct / 20)
    assert score(int8, labels) == {name: said[name] for name in ("correct", "rows", "accuracy")}
    assert ("file" in said) == (said["p_worse"] >= 0.05)
    assert ("left_out" in said) != ("file" in said)
