"""oddities: every odd row is found, with its value, and no other."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from components.artifacts.odd import NAMED_ROWS, Odd, add
from components.oddities import odd_images, odd_labels

image_shapes = st.builds(lambda rows, shape: (rows, *shape), st.integers(1, 6), array_shapes(min_dims=3, max_dims=3))


@given(arrays(np.uint8, image_shapes, elements=st.integers(0, 1)), st.integers(0, 10**9))
def test_constant_images_are_those_of_one_value(images, first_row):
    expected = [(first_row + row, int(image.flat[0])) for row, image in enumerate(images) if len(np.unique(image)) == 1]
    assert odd_images(images, first_row) == ({"constant": Odd(len(expected), tuple(expected))} if expected else {})


def test_constant_eights_of_pixels_do_not_make_an_image_constant():
    images = np.tile(np.arange(8, dtype=np.uint8), (2, 4)).reshape(2, 4, 8, 1)
    images[1] = 7
    images[1, 3, 7] = 8
    assert odd_images(images, 0) == {}


@given(arrays(np.float64, image_shapes, elements=st.floats(width=64)))
def test_pixels_that_are_no_number_or_outside_are_found_with_their_worst_value(images):
    found = odd_images(images, 5)
    for row, image in enumerate(images):
        finite = [value for value in image.ravel().tolist() if math.isfinite(value)]
        unknown = image.size - len(finite)
        assert dict(found.get("nan", Odd(0, ())).named).get(row + 5, 0) == unknown
        outside = {value: max(-value, value - 255) for value in finite if not 0 <= value <= 255}
        worst = dict(found.get("range", Odd(0, ())).named).get(row + 5)
        assert (worst is None) == (not outside)
        if worst is not None:
            assert outside[worst] == pytest.approx(max(outside.values()))


@pytest.mark.parametrize(
    ("dtype", "pixel", "worst"), [("int64", -3, -3), ("uint16", 300, 300), ("int8", -128, -128), ("float32", 256, 256)]
)
def test_other_types_are_looked_at_too(dtype, pixel, worst):
    images = np.zeros((3, 2, 2, 1), dtype)
    images[1, 0, 1] = pixel
    assert odd_images(images, 10) == {"range": Odd(1, ((11, worst),))}


@given(
    st.one_of(
        arrays(np.int64, st.integers(1, 8), elements=st.integers(-2, 5)),
        arrays(np.float64, st.integers(1, 8), elements=st.sampled_from([-1.0, 0.0, 2.0, 3.0, 1.5, math.nan, math.inf])),
    )
)
def test_labels_are_of_at_most_one_kind(labels):
    found = odd_labels(labels, 3, 100)
    for row, label in enumerate(labels.tolist()):
        kinds = {kind: dict(odd.named)[row + 100] for kind, odd in found.items() if row + 100 in dict(odd.named)}
        if not math.isfinite(label):
            assert kinds == {"label-nan": 0}
        elif label != int(label):
            assert kinds == {"label-fraction": label}
        elif not 0 <= label < 3:
            assert kinds == {"label-range": label}
        else:
            assert kinds == {}


def test_more_rows_than_can_be_named_are_counted():
    labels = np.full(NAMED_ROWS + 20, -1)
    (odd,) = odd_labels(labels, 3, 7).values()
    assert odd == Odd(NAMED_ROWS + 20, tuple((row + 7, -1) for row in range(NAMED_ROWS)))


@given(st.lists(st.tuples(st.integers(0, 9999), st.integers(-5, 5)), max_size=8), st.data())
def test_parts_add_up_in_any_order(found, data):
    mask = data.draw(st.lists(st.booleans(), min_size=len(found), max_size=len(found)))
    parts = [[one for one, there in zip(found, mask, strict=True) if there is wanted] for wanted in (True, False)]
    one, other = ({"range": Odd.of(part)} if part else {} for part in parts)
    assert add(one, other) == add(other, one) == ({"range": Odd.of(found)} if found else {})
