"""confusion: precision, recall and F1 of each class, against plain counts and scipy's intervals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.stats import binomtest

from components.confusion import class_figures, confusion_matrix

# True and predicted labels of three classes; so few rows that a class often has none.
OUTCOMES = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=60)
# Counts of each true and predicted label.
COUNTS = st.lists(st.lists(st.integers(0, 2000), min_size=3, max_size=3), min_size=3, max_size=3)
NAMES = ("a", "b, c", "ü")


def figures_of(outcomes):
    labels, predicted = np.array(outcomes).T
    return class_figures(confusion_matrix(labels, predicted, 3), NAMES)


def test_confusion_matrix_has_true_labels_in_rows():
    assert confusion_matrix(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 1]), 3) == ((1, 1, 0), (0, 1, 0), (0, 1, 0))


def test_worked_example():
    # Eight of ten images of class 0 are recognised; two of the ten that are predicted as it are of class 1.
    first, second, third = class_figures(((8, 2, 0), (2, 28, 0), (0, 0, 0)), NAMES)
    assert (first.name, first.rows, first.predicted, first.correct) == ("a", 10, 10, 8)
    assert first.precision == first.recall
    assert first.recall.value == 0.8
    assert first.f1.value == pytest.approx(0.8)
    assert second.precision.value == second.recall.value == pytest.approx(28 / 30)
    assert (third.rows, third.predicted, third.precision, third.recall, third.f1) == (0, 0, None, None, None)


def test_a_class_that_is_never_predicted_has_a_recall_and_no_precision():
    _, never, _ = class_figures(((5, 0, 0), (3, 0, 0), (0, 0, 1)), NAMES)
    assert never.precision is None
    assert never.recall.value == never.recall.low == never.f1.value == never.f1.low == 0
    assert never.recall.high == pytest.approx(binomtest(0, 3).proportion_ci(method="wilson").high)


def test_a_class_without_rows_has_a_precision_and_no_recall():
    _, absent, _ = class_figures(((5, 2, 0), (0, 0, 0), (0, 0, 1)), NAMES)
    assert absent.recall is None
    assert absent.precision.value == absent.f1.value == 0


@given(OUTCOMES)
def test_the_figures_equal_a_count_row_by_row(outcomes):
    for label, figures in enumerate(figures_of(outcomes)):
        of_class = [found for true, found in outcomes if true == label]
        taken = [true for true, found in outcomes if found == label]
        assert (figures.rows, figures.predicted) == (len(of_class), len(taken))
        assert figures.correct == of_class.count(label) == taken.count(label)
        for estimate, kept in ((figures.precision, taken), (figures.recall, of_class)):
            assert (estimate is None) == (not kept)
            if estimate is not None:
                expected = binomtest(kept.count(label), len(kept)).proportion_ci(method="wilson")
                assert estimate.value == pytest.approx(kept.count(label) / len(kept))
                assert (estimate.low, estimate.high) == pytest.approx((expected.low, expected.high), abs=1e-12)


@given(COUNTS)
def test_f1_is_the_harmonic_mean_with_the_interval_of_the_shared_rows(counts):
    for figures in class_figures(counts, NAMES):
        either = figures.rows + figures.predicted - figures.correct
        if not either:
            assert figures.f1 is None
            continue
        if figures.correct:
            mean = 2 / (1 / figures.precision.value + 1 / figures.recall.value)
            assert figures.f1.value == pytest.approx(mean, rel=1e-12)
        else:
            assert figures.f1.value == 0
        # From F1 back to the share of the rows, by a root search instead of the inverse formula.
        ends = [brentq(lambda j, end=end: 2 / (1 + 1 / j) - end if j else -end, 0, 1) for end in interval(figures.f1)]
        expected = binomtest(figures.correct, either).proportion_ci(method="wilson")
        assert ends == pytest.approx([expected.low, expected.high], abs=1e-9)


@given(COUNTS)
def test_every_estimate_is_in_its_interval(counts):
    for figures in class_figures(counts, NAMES):
        for found in filter(None, (figures.precision, figures.recall, figures.f1)):
            assert 0 <= found.low <= found.value <= found.high <= 1


@given(COUNTS, st.permutations(range(3)))
def test_the_order_of_the_classes_changes_no_figures(counts, order):
    moved = np.array(counts)[np.ix_(order, order)].tolist()
    figures = class_figures(counts, NAMES)
    assert class_figures(moved, [NAMES[label] for label in order]) == tuple(figures[label] for label in order)


def interval(found):
    return found.low, found.high
