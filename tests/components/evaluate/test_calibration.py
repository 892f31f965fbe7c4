"""calibration: worked examples, and a plain loop over the bins."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from components.artifacts.evaluation import Bin
from components.evaluate.calibration import calibration_bins, calibration_error

# Often equal to a limit.
CONFIDENCES = st.floats(0, 1, width=32) | st.integers(0, 15).map(lambda k: float(np.float32(k / 15)))
ROWS = st.integers(1, 30).flatmap(
    lambda rows: st.tuples(
        arrays(np.float32, (rows, 3), elements=CONFIDENCES),
        arrays(np.int64, rows, elements=st.integers(0, 2)),
    )
)


def confident_in_class_0(*confidences):
    """float32 (n, 3): rows with these probabilities of class 0; the other two classes share the rest."""
    first = np.array(confidences, np.float32)
    return np.stack([first, (1 - first) / 2, (1 - first) / 2], axis=1)


def test_worked_example():
    # Two rows near 0.9, one correct: the gap is 0.4. Two rows at 0.5, both correct: the gap is 0.5.
    probabilities = confident_in_class_0(0.875, 0.9, 0.5, 0.5)
    bins = calibration_bins(probabilities, np.array([0, 1, 0, 0]))
    assert [found for found in bins if found.rows] == [
        Bin("0.4667 to 0.5333", 2, 0.5, 1.0),
        Bin("0.8667 to 0.9333", 2, pytest.approx(0.8875), 0.5),
    ]
    assert calibration_error(bins) == pytest.approx((2 * 0.5 + 2 * 0.3875) / 4)


def test_a_calibrated_model_has_no_error():
    probabilities = confident_in_class_0(*[0.75] * 8)
    assert calibration_error(calibration_bins(probabilities, np.array([0] * 6 + [1, 2]))) == 0


def test_a_confident_model_that_is_always_wrong_has_the_largest_error():
    assert calibration_error(calibration_bins(confident_in_class_0(1, 1), np.array([1, 2]))) == 1


def test_bins_are_named_by_their_limits_and_may_be_empty():
    bins = calibration_bins(confident_in_class_0(1), np.array([0]))
    assert [found.name for found in bins[:3]] == ["0 to 0.0667", "0.0667 to 0.1333", "0.1333 to 0.2"]
    assert [found.name for found in bins[-2:]] == ["0.8667 to 0.9333", "0.9333 to 1"]
    assert len({found.name for found in bins}) == 15
    assert bins[-1] == Bin("0.9333 to 1", 1, 1.0, 1.0)
    assert all((found.rows, found.confidence, found.accuracy) == (0, None, None) for found in bins[:-1])


@pytest.mark.parametrize(
    ("confidence", "name"),
    [
        (0, "0 to 0.0667"),
        (1e-30, "0 to 0.0667"),
        (0.2, "0.1333 to 0.2"),
        (np.nextafter(np.float32(0.2), np.float32(1)), "0.2 to 0.2667"),
        (0.8, "0.7333 to 0.8"),
        (14 / 15, "0.8667 to 0.9333"),
        (np.nextafter(np.float32(14 / 15), np.float32(1)), "0.9333 to 1"),
        (1, "0.9333 to 1"),
    ],
)
def test_a_limit_belongs_to_the_bin_below_it_and_0_to_the_first(confidence, name):
    (found,) = [found for found in calibration_bins(np.float32([[confidence, 0]]), np.array([0])) if found.rows]
    assert found.name == name


@given(ROWS)
def test_bins_and_error_equal_a_plain_loop(given_rows):
    probabilities, labels = given_rows
    bins = calibration_bins(probabilities, labels)
    confidences = probabilities.max(axis=1).tolist()
    right = [row.index(max(row)) == label for row, label in zip(probabilities.tolist(), labels, strict=True)]
    error = 0.0
    for number, found in enumerate(bins):
        lower, upper = float(np.float32(number / 15)), float(np.float32((number + 1) / 15))
        kept = [row for row, sure in enumerate(confidences) if lower < sure <= upper or (number == 0 and sure == 0)]
        assert found.rows == len(kept)
        if kept:
            confidence = sum(confidences[row] for row in kept) / len(kept)
            accuracy = sum(right[row] for row in kept) / len(kept)
            assert (found.confidence, found.accuracy) == pytest.approx((confidence, accuracy))
            error += len(kept) / len(labels) * abs(accuracy - confidence)
    assert sum(found.rows for found in bins) == len(labels)
    assert calibration_error(bins) == pytest.approx(error, abs=1e-12)
    assert 0 <= calibration_error(bins) <= 1
