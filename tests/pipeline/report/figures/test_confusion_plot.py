"""confusion_plot: the counts of the evaluation, in the cells or, with many classes, as a scale and a list."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.report.figures.confusion_plot import confusion_matrix
from pipeline.report.worst_confusions import worst_confusions

pytestmark = pytest.mark.usefixtures("_drawing")


def labels(ticks):
    return [tick.get_text() for tick in ticks]


def shown_counts(axes, classes):
    """The sum of the two images, correct and wrong; 0 for an empty cell."""
    images = [image.get_array() for image in axes.get_images()]
    diagonal = np.eye(classes, dtype=bool)
    assert images[0].mask[~diagonal].all()
    assert images[1].mask[diagonal].all()
    return sum(image.filled(0) for image in images)


def test_cells_hold_the_counts_by_true_and_predicted_class(by_hand):
    made = by_hand(("cat", "dog", "fox"))
    confusion = ((5, 2, 0), (0, 7, 1), (3, 0, 4))
    evaluation = replace(made.evaluation, confusion=confusion)
    (axes,) = confusion_matrix(evaluation, made.examples).axes
    written = {(int(text.get_position()[1]), int(text.get_position()[0])): text.get_text() for text in axes.texts}
    assert written == {place: str(count) for place, count in np.ndenumerate(np.array(confusion)) if count}
    assert shown_counts(axes, 3).tolist() == [list(row) for row in confusion]
    assert labels(axes.get_xticklabels()) == labels(axes.get_yticklabels()) == ["cat", "dog", "fox"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted class", "true class")
    assert axes.yaxis_inverted()


def test_title_has_the_accuracy_with_its_interval(by_hand):
    made = by_hand()
    evaluation = replace(made.evaluation, rows=10_000, correct=9_769, interval=(0.97377, 0.97967))
    (axes,) = confusion_matrix(evaluation, made.examples).axes
    assert axes.get_title() == "10,000 test images: accuracy 0.9769\n(95 % interval 0.9738 to 0.9797)"


def test_correct_is_blue_and_wrong_is_orange(by_hand):
    made = by_hand(("cat", "dog"))
    (axes,) = confusion_matrix(replace(made.evaluation, confusion=((50, 30), (20, 40))), made.examples).axes
    right, wrong = (image.cmap(image.norm(20)) for image in axes.get_images())
    assert right[2] > right[0]
    assert wrong[0] > wrong[2]


@pytest.mark.parametrize("classes", [21, 47, 100])
def test_many_classes_have_a_scale_and_the_worst_by_name_instead_of_numbers(by_hand, classes):
    made = by_hand([f"n{label}" for label in range(classes)], rows=900)
    matrix, worst, scale = confusion_matrix(made.evaluation, made.examples).axes
    assert not matrix.texts
    assert shown_counts(matrix, classes).tolist() == [list(row) for row in made.evaluation.confusion]
    assert labels(matrix.get_xticklabels()) == list(made.examples.class_names)
    assert scale.get_ylabel() == "wrongly predicted test images"
    wrong = np.array(made.evaluation.confusion)
    np.fill_diagonal(wrong, 0)
    listed = [bar.get_width() for bar in worst.patches]
    assert listed == sorted(wrong[wrong > 0], reverse=True)[: len(listed)]
    assert len(listed) == 20
    true, taken = np.unravel_index(wrong.argmax(), wrong.shape)
    assert labels(worst.get_yticklabels())[0] == f"n{true}, as n{taken}"


def test_of_very_many_classes_some_are_named(by_hand):
    made = by_hand([f"n{label}" for label in range(250)], rows=300)
    matrix = confusion_matrix(made.evaluation, made.examples).axes[0]
    assert labels(matrix.get_yticklabels()) == [f"n{label}" for label in range(0, 250, 3)]
    assert list(matrix.get_yticks()) == list(range(0, 250, 3))


def test_list_is_empty_without_errors(by_hand):
    made = by_hand([f"n{label}" for label in range(30)], skill=99.0)
    assert made.evaluation.correct == made.evaluation.rows
    assert not confusion_matrix(made.evaluation, made.examples).axes[1].patches


def test_worst_confusions_are_first_and_equal_ones_in_order():
    assert [(c.label, c.predicted, c.rows) for c in worst_confusions([[9, 1, 4], [4, 0, 0], [0, 7, 8]], 10)] == [
        (2, 1, 7),
        (0, 2, 4),
        (1, 0, 4),
        (0, 1, 1),
    ]
    assert worst_confusions([[3, 0], [0, 5]], 10) == []
    assert len(worst_confusions(np.ones((9, 9), int).tolist(), 10)) == 10
