"""thumbnails: each pixel has its place and colour, for images of any shape."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pipeline.report.figures.thumbnails import WHITE, framed, mosaic, to_thumbnails


@st.composite
def images(draw, most=12):
    rows = draw(st.integers(0, 4))
    height, width = draw(st.integers(1, most)), draw(st.integers(1, most))
    return draw(arrays(np.uint8, (rows, height, width, draw(st.sampled_from([1, 2, 3, 4])))))


@given(images())
def test_small_images_keep_every_pixel(drawn):
    thumbnails = to_thumbnails(drawn)
    assert thumbnails.shape == (*drawn.shape[:3], 3)
    for colour in range(3):
        assert np.array_equal(thumbnails[..., colour], drawn[..., colour if drawn.shape[-1] >= 3 else 0])


@given(st.integers(1, 700), st.integers(1, 700), st.integers(0, 255))
def test_large_images_become_small_and_keep_their_brightness(height, width, value):
    thumbnails = to_thumbnails(np.full((2, height, width, 1), value, np.uint8))
    assert max(thumbnails.shape[1:3]) <= 128
    assert min(thumbnails.shape) >= 1
    assert (thumbnails == value).all()


def test_no_large_images_are_no_thumbnails():
    assert to_thumbnails(np.zeros((0, 224, 300, 3), np.uint8)).shape == (0, 74, 100, 3)


def test_large_image_is_averaged():
    image = np.zeros((1, 256, 256, 3), np.uint8)
    image[0, ::2] = 100
    assert (to_thumbnails(image) == 50).all()


@given(images())
def test_frame_is_white_and_the_image_in_its_middle(drawn):
    thumbnails = to_thumbnails(drawn)
    whole = framed(thumbnails)
    height, width = whole.shape[1:3]
    assert max(height, width) <= 2 * min(height, width)
    top, left = (height - thumbnails.shape[1]) // 2, (width - thumbnails.shape[2]) // 2
    inside = whole[:, top : top + thumbnails.shape[1], left : left + thumbnails.shape[2]]
    assert np.array_equal(inside, thumbnails)
    assert int(whole.sum()) == int(thumbnails.sum()) + WHITE * (whole.size - thumbnails.size)


@given(images(), st.data())
def test_mosaic_has_each_thumbnail_at_its_place_and_is_white_elsewhere(drawn, data):
    thumbnails = to_thumbnails(drawn)
    shape = data.draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    places = data.draw(arrays(np.int64, shape, elements=st.integers(-1, len(thumbnails) - 1)))
    whole = mosaic(thumbnails, places)
    tall, wide = whole.shape[0] // shape[0], whole.shape[1] // shape[1]
    for (row, column), thumbnail in np.ndenumerate(places):
        cell = whole[row * tall : (row + 1) * tall, column * wide : (column + 1) * wide]
        expected = np.full(cell.shape, WHITE)
        if thumbnail >= 0:
            expected[: thumbnails.shape[1], : thumbnails.shape[2]] = thumbnails[thumbnail]
        assert np.array_equal(cell, expected)


def test_rows_are_read_in_any_order_from_several_blocks(by_hand):
    examples = by_hand(shape=(4, 3, 3)).examples
    assert len(examples.blocks["test"]) == 2
    everything = np.concatenate([examples.images(block) for block in examples.blocks["test"]])
    rows = np.array([89, 0, 30, 29, 31, 0])
    assert np.array_equal(to_thumbnails(examples.images_at("test", rows)), everything[rows])
    assert to_thumbnails(examples.images_at("test", rows[:0])).shape == (0, 4, 3, 3)
