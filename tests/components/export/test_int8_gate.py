"""int8_gate: int8 is refused if it is worse than the float model."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import binom

from components.export.int8_gate import count_correct, judge_int8


def predictions(both, float32_alone, int8_alone, neither):
    """Predicted classes of the int8 and the float model, and labels, with the given numbers of correct rows."""
    labels = np.arange(both + float32_alone + int8_alone + neither) % 3
    float32, int8 = labels.copy(), labels.copy()
    float32[both + float32_alone :] += 1
    int8[both : both + float32_alone] += 1
    int8[both + float32_alone + int8_alone :] += 1
    return int8, float32, labels


def judged(int8, float32, labels):
    return judge_int8(int8, float32, labels, ("cat", "dog", "owl", "other"))


def test_equal_model_passes():
    int8, float32, labels = predictions(98, 0, 0, 2)
    assert judged(int8, float32, labels) == {
        "file": "model.int8.onnx",
        "correct": 98,
        "rows": 100,
        "accuracy": 0.98,
        "agreement": 1.0,
        "lost": 0,
        "gained": 0,
        "p_worse": 0.5,
    }


def test_worse_model_is_refused_with_the_arithmetic():
    entry = judged(*predictions(950, 12, 3, 35))
    assert "file" not in entry
    assert entry["left_out"] == "12 test rows that float32 gets right are wrong, 3 the other way round, p 0.011 < 0.05"
    assert (entry["correct"], entry["lost"], entry["gained"], entry["agreement"]) == (953, 12, 3, 0.985)
    assert entry["p_worse"] == pytest.approx(binom.sf(12, 15, 0.5) + binom.pmf(12, 15, 0.5) / 2)


def of_classes(*counts):
    """Predictions for classes with (rows, rows that only the float model gets right, rows that only int8 does)."""
    labels = np.repeat(np.arange(len(counts)), [rows for rows, *_ in counts])
    int8, float32 = labels.copy(), labels.copy()
    for label, (_, lost, gained) in enumerate(counts):
        of_class = np.flatnonzero(labels == label)
        int8[of_class[:lost]] = 3
        float32[of_class[lost : lost + gained]] = 3
    return int8, float32, labels


@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        # Significant in one class of three, although the others make up for it: p 0.5 ** 9 / 2 · 3.
        (
            ((100, 0, 5), (100, 9, 0), (100, 0, 5)),
            "class dog: 9 test rows that float32 gets right are wrong, 0 the other way round, p 0.0029 < 0.05 "
            "(for 3 classes)",
        ),
        (
            ((100, 0, 2), (100, 0, 2), (2, 2, 0)),
            "class owl: 2 test rows that float32 gets right are wrong, 0 the other way round: none of the class "
            "is right",
        ),
        # Chance: p 0.5 ** 5 / 2 · 3 = 0.047 would be significant, 4 rows are not.
        (((100, 0, 2), (100, 4, 0), (100, 0, 2)), None),
        (((100, 0, 2), (100, 0, 2), (2, 1, 0)), None),
    ],
)
def test_a_class_that_loses_more_than_chance_or_all_of_its_rows_keeps_int8_out(counts, reason):
    entry = judged(*of_classes(*counts))
    assert entry.get("left_out") == reason
    assert entry["p_worse"] >= 0.05


def test_a_class_that_neither_model_gets_right_does_not_refuse():
    labels = np.repeat(np.arange(3), 50)
    wrong = np.where(labels == 2, 0, labels)
    assert "file" in judged(wrong, wrong, labels)


def test_better_model_passes():
    assert judged(*predictions(900, 0, 50, 50))["file"] == "model.int8.onnx"


@given(arrays(np.int64, (3, 20), elements=st.integers(0, 2)))
def test_figures_are_computed_from_the_rows(classes):
    int8, float32, labels = classes
    entry = judged(int8, float32, labels)
    right = [(a == c, b == c) for a, b, c in zip(*classes.tolist(), strict=True)]
    assert entry["lost"] == right.count((False, True))
    assert entry["gained"] == right.count((True, False))
    assert entry["agreement"] == pytest.approx(sum(a == b for a, b in zip(int8, float32, strict=True)) / 20)
    correct = sum(ours for ours, _ in right)
    assert (entry["correct"], entry["rows"], entry["accuracy"]) == (correct, 20, correct / 20)
    assert count_correct(int8, labels) == {name: entry[name] for name in ("correct", "rows", "accuracy")}
    assert ("file" in entry) <= (entry["p_worse"] >= 0.05)
    lost_classes = set(labels[float32 == labels].tolist()) - set(labels[int8 == labels].tolist())
    assert ("file" in entry) <= (not lost_classes)
    assert ("left_out" in entry) != ("file" in entry)
