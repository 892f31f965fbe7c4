"""invalid_images: exactly the invalid rows are found, with their values."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from components.analyze.invalid_images import find_invalid_images, find_invalid_labels
from components.artifacts.statistics import NAMED_ROWS, InvalidRows, add_invalid_rows

image_shapes = st.builds(lambda rows, shape: (rows, *shape), st.integers(1, 6), array_shapes(min_dims=3, max_dims=3))


@given(arrays(np.uint8, image_shapes, elements=st.integers(0, 1)), st.integers(0, 10**9))
def test_images_of_one_value_are_constant(images, first_row):
    expected = [(first_row + row, int(image.flat[0])) for row, image in enumerate(images) if len(np.unique(image)) == 1]
    assert find_invalid_images(images, first_row) == (
        {"constant": InvalidRows(len(expected), tuple(expected))} if expected else {}
    )


def test_image_with_one_different_pixel_is_not_constant():
    images = np.tile(np.arange(8, dtype=np.uint8), (2, 4)).reshape(2, 4, 8, 1)
    images[1] = 7
    images[1, 3, 7] = 8
    assert find_invalid_images(images, 0) == {}


@given(arrays(np.float64, image_shapes, elements=st.floats(width=64)))
def test_pixels_that_are_not_finite_or_out_of_range_are_found_with_the_worst_value(images):
    found = find_invalid_images(images, 5)
    for row, image in enumerate(images):
        finite = [value for value in image.ravel().tolist() if math.isfinite(value)]
        unknown = image.size - len(finite)
        assert dict(found.get("nan", InvalidRows(0, ())).named).get(row + 5, 0) == unknown
        outside = {value: max(-value, value - 255) for value in finite if not 0 <= value <= 255}
        worst = dict(found.get("range", InvalidRows(0, ())).named).get(row + 5)
        assert (worst is None) == (not outside)
        if worst is not None:
            assert outside[worst] == pytest.approx(max(outside.values()))


@pytest.mark.parametrize(
    ("dtype", "pixel", "worst"), [("int64", -3, -3), ("uint16", 300, 300), ("int8", -128, -128), ("float32", 256, 256)]
)
def test_images_of_other_types_are_checked(dtype, pixel, worst):
    images = np.zeros((3, 2, 2, 1), dtype)
    images[1, 0, 1] = pixel
    assert find_invalid_images(images, 10) == {"range": InvalidRows(1, ((11, worst),))}


@given(
    st.one_of(
        arrays(np.int64, st.integers(1, 8), elements=st.integers(-2, 5)),
        arrays(np.float64, st.integers(1, 8), elements=st.sampled_from([-1.0, 0.0, 2.0, 3.0, 1.5, math.nan, math.inf])),
    )
)
def test_each_label_is_of_at_most_one_kind(labels):
    found = find_invalid_labels(labels, 3, 100)
    for row, label in enumerate(labels.tolist()):
        kinds = {
            kind: dict(invalid.named)[row + 100] for kind, invalid in found.items() if row + 100 in dict(invalid.named)
        }
        if not math.isfinite(label):
            assert kinds == {"label-nan": 0}
        elif label != int(label):
            assert kinds == {"label-fraction": label}
        elif not 0 <= label < 3:
            assert kinds == {"label-range": label}
        else:
            assert kinds == {}


def test_rows_beyond_the_named_ones_are_counted():
    labels = np.full(NAMED_ROWS + 20, -1)
    (invalid,) = find_invalid_labels(labels, 3, 7).values()
    assert invalid == InvalidRows(NAMED_ROWS + 20, tuple((row + 7, -1) for row in range(NAMED_ROWS)))


@given(st.lists(st.tuples(st.integers(0, 9999), st.integers(-5, 5)), max_size=8), st.data())
def test_parts_add_in_any_order(found, data):
    mask = data.draw(st.lists(st.booleans(), min_size=len(found), max_size=len(found)))
    parts = [[one for one, chosen in zip(found, mask, strict=True) if chosen is wanted] for wanted in (True, False)]
    one, other = ({"range": InvalidRows.of(part)} if part else {} for part in parts)
    assert (
        add_invalid_rows(one, other)
        == add_invalid_rows(other, one)
        == ({"range": InvalidRows.of(found)} if found else {})
    )
