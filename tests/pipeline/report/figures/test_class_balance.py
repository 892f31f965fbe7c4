"""class_balance: bars as long as the counts, for every label."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.report.figures.class_balance import class_balance

pytestmark = pytest.mark.usefixtures("_drawing")


def test_bars_are_the_counts_of_both_splits(by_hand):
    made = by_hand(("cat", "dog", "fox"), without=2)
    for axes, split in zip(class_balance(made.statistics).axes, ("train", "test"), strict=True):
        expected = np.bincount(made.examples.all_labels(split), minlength=3).tolist()
        assert [bar.get_width() for bar in axes.patches] == expected
        assert [text.get_text() for text in axes.texts] == [str(count) for count in expected]
        assert expected[2] == 0
        assert axes.get_xlabel() == "images"
        assert axes.get_title() == f"{'training' if split == 'train' else 'test'}: 90 images"


def test_classes_are_named_from_the_top(by_hand):
    first = class_balance(by_hand(("cat", "dog", "fox")).statistics).axes[0]
    assert [tick.get_text() for tick in first.get_yticklabels()] == ["cat", "dog", "fox"]
    assert list(first.get_yticks()) == [0, 1, 2]
    assert first.yaxis_inverted()
    assert first.get_ylabel() == "class"


def test_label_without_a_class_has_its_own_row(by_hand):
    statistics = by_hand(("cat", "dog")).statistics
    invalid = replace(statistics.splits["test"], label_counts={0: 5, 1: 3, 7: 4, -1: 2})
    figure = class_balance(replace(statistics, splits={**statistics.splits, "test": invalid}))
    training, test = figure.axes
    names = [tick.get_text() for tick in training.get_yticklabels()]
    assert names == ["cat", "dog", "label -1: no class", "label 7: no class"]
    assert [bar.get_width() for bar in test.patches] == [5, 3, 2, 4]
    assert [bar.get_width() for bar in training.patches][2:] == [0, 0]


def test_of_many_classes_some_are_named(by_hand):
    training, _ = class_balance(by_hand([f"n{label}" for label in range(250)]).statistics).axes
    assert len(training.patches) == 250
    assert [tick.get_text() for tick in training.get_yticklabels()] == [f"n{label}" for label in range(0, 250, 3)]


def test_counts_are_whole_numbers_on_the_axis(by_hand):
    figure = class_balance(by_hand(("cat", "dog"), rows=3).statistics)
    figure.draw_without_rendering()
    for axes in figure.axes:
        assert all(tick == round(tick) for tick in axes.get_xticks())
