"""predictions: test images as they are, with bars as long as the probabilities."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.report.predictions import predictions
from pipeline.report.style import BLUE, VERMILLION
from pipeline.report.tiles import read_tiles

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


def test_images_are_those_of_the_rows_that_are_named(four, texts):
    examples, evaluation = four
    (axes,) = predictions(examples, evaluation).axes
    rows = [int(text.removeprefix("row ")) for text in texts(axes) if text.startswith("row ")]
    assert rows == [0, 2, 3, 1]
    expected = read_tiles(examples, "test", np.array(rows))
    for image, tile in zip(axes.get_images(), expected, strict=True):
        assert np.array_equal(image.get_array(), tile)
        left, right, bottom, top = image.get_extent()
        assert (right - left) / (bottom - top) == pytest.approx(7 / 4)


def test_titles_say_what_is_taken_for_what(four, texts):
    said = texts(predictions(*four))
    assert {"right: 2 of 4 test images", "wrong: 2; the true class least probable first"} <= set(said)
    assert [text for text in said if "taken for" in text] == ["dog, taken for cat", "cat, taken for dog"]
    assert "right, but the least sure" not in said
    assert "bars: probability (fraction)" in said


def test_bars_are_as_long_as_the_probabilities(four, texts):
    (axes,) = predictions(*four).axes
    widths = np.array([bar.get_width() for bar in axes.patches]).reshape(4, 3)
    expected = -np.sort(-PROBABILITIES[[0, 2, 3, 1]], axis=1)
    assert widths / widths.sum(axis=1, keepdims=True) == pytest.approx(expected)
    numbers = [float(text) for text in texts(axes) if text.replace(".", "").isdigit()]
    assert numbers == [float(f"{value:.2f}") for value in expected.ravel()]


def test_true_class_is_blue_and_what_it_is_taken_for_is_not(four):
    from matplotlib.colors import to_hex

    (axes,) = predictions(*four).axes
    colours = np.array([to_hex(bar.get_facecolor()) for bar in axes.patches]).reshape(4, 3)
    assert (colours[:2, 0] == BLUE).all()
    assert (colours[2:, 0] == VERMILLION).all()
    assert [(row == BLUE).sum() for row in colours] == [1] * 4
    written = {text.get_text(): to_hex(text.get_color()) for text in axes.texts}
    assert written["dog, taken for cat"] == VERMILLION


def test_kind_of_which_there_is_none_is_left_out(by_hand, texts):
    made = by_hand(skill=99.0)
    said = texts(predictions(made.examples, made.evaluation))
    assert "right: 90 of 90 test images" in said
    assert not any(text.startswith("wrong") for text in said)


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
