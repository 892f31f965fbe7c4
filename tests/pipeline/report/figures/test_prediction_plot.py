"""prediction_plot: the test images unchanged, with bars as long as the probabilities."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.report.figures.prediction_plot import predictions
from pipeline.report.figures.style import BLUE, VERMILLION
from pipeline.report.figures.thumbnails import to_thumbnails

pytestmark = pytest.mark.usefixtures("_drawing")

# Two rows of the first class, two of the second; the last of each is wrong.
PROBABILITIES = np.array(
    [[0.75, 0.125, 0.125], [0.25, 0.5, 0.25], [0.125, 0.75, 0.125], [0.5, 0.125, 0.375]], np.float32
)
LABELS = np.array([0, 0, 1, 1])


@pytest.fixture
def four(by_hand):
    """Four test images with those labels and probabilities."""
    made = by_hand(("cat", "dog", "fox"), shape=(4, 7, 3))
    examples = made.examples
    block = examples.blocks["test"][0]
    np.save(examples.path / block.images_file, examples.images(block)[:4].copy())
    np.save(examples.path / block.labels_file, LABELS)
    examples.blocks["test"] = (replace(block, rows=4),)
    evaluation = replace(made.evaluation, rows=4, correct=2).write_probabilities(PROBABILITIES)
    return examples, evaluation


def test_images_are_those_of_the_named_rows(four, texts):
    examples, evaluation = four
    (axes,) = predictions(examples, evaluation).axes
    rows = [int(text.removeprefix("row ")) for text in texts(axes) if text.startswith("row ")]
    assert rows == [0, 2, 3, 1]
    expected = to_thumbnails(examples.images_at("test", np.array(rows)))
    for image, thumbnail in zip(axes.get_images(), expected, strict=True):
        assert np.array_equal(image.get_array(), thumbnail)
        left, right, bottom, top = image.get_extent()
        assert (right - left) / (bottom - top) == pytest.approx(7 / 4)


def test_titles_have_the_true_and_the_predicted_class(four, texts):
    found = texts(predictions(*four))
    assert {"right: 2 of 4 test images", "wrong: 2; the true class least probable first"} <= set(found)
    assert [text for text in found if "taken for" in text] == ["dog, taken for cat", "cat, taken for dog"]
    assert "right, but the least sure" not in found
    assert "bars: probability (fraction)" in found


def test_bars_are_as_long_as_the_probabilities(four, texts):
    (axes,) = predictions(*four).axes
    widths = np.array([bar.get_width() for bar in axes.patches]).reshape(4, 3)
    expected = -np.sort(-PROBABILITIES[[0, 2, 3, 1]], axis=1)
    assert widths / widths.sum(axis=1, keepdims=True) == pytest.approx(expected)
    numbers = [float(text) for text in texts(axes) if text.replace(".", "").isdigit()]
    assert numbers == [float(f"{value:.2f}") for value in expected.ravel()]


def test_true_class_is_blue_and_a_wrong_prediction_is_not(four):
    from matplotlib.colors import to_hex

    (axes,) = predictions(*four).axes
    colours = np.array([to_hex(bar.get_facecolor()) for bar in axes.patches]).reshape(4, 3)
    assert (colours[:2, 0] == BLUE).all()
    assert (colours[2:, 0] == VERMILLION).all()
    assert [(row == BLUE).sum() for row in colours] == [1] * 4
    written = {text.get_text(): to_hex(text.get_color()) for text in axes.texts}
    assert written["dog, taken for cat"] == VERMILLION


def test_kind_without_images_is_left_out(by_hand, texts):
    made = by_hand(skill=99.0)
    found = texts(predictions(made.examples, made.evaluation))
    assert "right: 90 of 90 test images" in found
    assert not any(text.startswith("wrong") for text in found)


def test_nothing_overlaps_or_leaves_the_picture(by_hand):
    names = ["W" * 30, "a name that is very much too long for its place", "i", "$", "猫" * 9, "plain", "seven"]
    made = by_hand(names, skill=0.5, shape=(9, 9, 1))
    figure = predictions(made.examples, made.evaluation)
    figure.draw_without_rendering()
    (axes,) = figure.axes
    boxes = [image.get_window_extent() for image in axes.get_images()]
    for text in axes.texts:
        box = text.get_window_extent()
        assert box.x0 >= 0
        assert box.x1 <= figure.bbox.x1
        assert not any(box.overlaps(image) for image in boxes)
    extents = [text.get_window_extent() for text in axes.texts]
    assert not any(one.overlaps(other) for place, one in enumerate(extents) for other in extents[:place])
