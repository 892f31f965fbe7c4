"""sample_plot: the first images of each class, unchanged, beside the name of the class."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.report.figures.sample_plot import first_rows, samples
from pipeline.report.figures.thumbnails import WHITE, to_thumbnails

pytestmark = pytest.mark.usefixtures("_drawing")


@given(st.lists(st.integers(-2, 5), max_size=40), st.integers(1, 4), st.integers(1, 5))
def test_first_rows_of_each_class(labels, classes, most):
    found = first_rows(np.array(labels, np.int64), classes, most)
    for label in range(classes):
        expected = [row for row, value in enumerate(labels) if value == label][:most]
        assert found[label].tolist() == expected + [-1] * (most - len(expected))


def rows_of_thumbnails(figure, examples, place):
    """The rows of thumbnails in one of the images, by the height of the row."""
    image = figure.axes[0].get_images()[place]
    array, (_, _, bottom, top) = image.get_array(), image.get_extent()
    height, width = (side + max(1, examples.image_shape[1] // 16) for side in examples.image_shape[:2])
    deep, most = array.shape[0] // height, array.shape[1] // width
    thumbnails = array.reshape(deep, height, most, width, 3)[:, : height - 1, :, : width - 1].transpose(0, 2, 1, 3, 4)
    return {top + (row + 0.5) * (bottom - top) / deep: thumbnails[row] for row in range(deep)}


def test_images_of_a_class_are_beside_its_name_in_colour(by_hand, texts):
    examples = by_hand(("cat", "dog", "fox"), shape=(6, 8, 3)).examples
    figure = samples(examples)
    heights = {text.get_text(): text.get_position()[1] for text in figure.axes[0].texts}
    assert {"cat", "dog", "fox", "training", "test", "by-hand: images of 3 classes"} == set(texts(figure))
    for place, split in enumerate(("train", "test")):
        shown = rows_of_thumbnails(figure, examples, place)
        for label, name in enumerate(examples.class_names):
            height = min(shown, key=lambda at, name=name: abs(at - heights[name]))
            assert height == pytest.approx(heights[name])
            rows = np.flatnonzero(examples.all_labels(split) == label)[:8]
            assert np.array_equal(shown[height], to_thumbnails(examples.images_at(split, rows)))


def test_class_without_images_is_named_and_white(by_hand, texts):
    examples = by_hand(("cat", "dog", "fox"), without=2).examples
    figure = samples(examples)
    assert "fox" in texts(figure)
    assert (list(rows_of_thumbnails(figure, examples, 0).values())[2] == WHITE).all()


@pytest.mark.parametrize(("classes", "panels"), [(1, 1), (2, 1), (20, 1), (21, 2), (47, 3), (100, 5)])
def test_every_class_is_named_inside_the_picture(by_hand, texts, classes, panels):
    names = [f"class number {label}" for label in range(classes)]
    figure = samples(by_hand(names, rows=300).examples)
    assert set(names) <= set(texts(figure))
    (axes,) = figure.axes
    assert len(axes.get_images()) == 2 * panels
    figure.draw_without_rendering()
    for text in axes.texts:
        box = text.get_window_extent()
        assert box.x0 >= 0
        assert box.x1 <= figure.bbox.x1


def test_of_too_many_classes_the_first_are_shown_and_the_title_says_so(by_hand, texts):
    found = texts(samples(by_hand([f"n{label}" for label in range(130)], rows=200).examples))
    assert "n99" in found
    assert "n100" not in found
    assert "by-hand: images of the first 100 of 130 classes" in found
