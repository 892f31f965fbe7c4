"""selected_examples: the selection, compared with a plain implementation of the same rules."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.report.selected_examples import select_examples


@st.composite
def scored(draw):
    """Probabilities, many of them equal, and labels."""
    rows, classes = draw(st.integers(1, 25)), draw(st.integers(1, 8))
    weights = draw(
        st.lists(st.lists(st.integers(1, 4), min_size=classes, max_size=classes), min_size=rows, max_size=rows)
    )
    labels = draw(st.lists(st.integers(0, classes - 1), min_size=rows, max_size=rows))
    array = np.array(weights, np.float32)
    return array / array.sum(axis=1, keepdims=True), np.array(labels)


@given(scored(), st.integers(1, 4))
def test_each_kind_follows_its_rule(drawn, most):
    probabilities, labels = drawn
    selected = select_examples(probabilities, labels, most)
    predicted = [max(range(len(row)), key=lambda label, row=row: row[label]) for row in probabilities]
    right = [row for row in range(len(labels)) if predicted[row] == labels[row]]
    wrong = [row for row in range(len(labels)) if predicted[row] != labels[row]]

    worst = sorted(wrong, key=lambda row: (probabilities[row, labels[row]], row))[: 2 * most]
    assert [prediction.row for prediction in selected.worst] == worst

    usual = [prediction.row for prediction in selected.usual]
    assert len(usual) == min(most, len(right))
    firsts = [row for place, row in enumerate(right) if labels[row] not in labels[right[:place]]]
    assert set(firsts[:most]) <= set(usual)
    assert usual == sorted(usual)

    rest = [row for row in right if row not in usual]
    unsure = sorted(rest, key=lambda row: (probabilities[row].max(), row))[:most]
    assert [prediction.row for prediction in selected.unsure] == unsure


@given(scored())
def test_classes_are_the_most_probable_and_the_true_one(drawn):
    probabilities, labels = drawn
    selected = select_examples(probabilities, labels, 3)
    for prediction in (*selected.usual, *selected.unsure, *selected.worst):
        assert prediction.label == labels[prediction.row]
        assert prediction.right == (prediction.classes[0] == prediction.label)
        assert prediction.label in prediction.classes
        assert len(set(prediction.classes)) == len(prediction.classes) == min(5, probabilities.shape[1])
        assert list(prediction.probabilities) == [probabilities[prediction.row, shown] for shown in prediction.classes]
        assert list(prediction.probabilities) == sorted(prediction.probabilities, reverse=True)
        least = min(prediction.probabilities[:-1], default=1.0)
        assert sum(probabilities[prediction.row] > least) < len(prediction.classes)
