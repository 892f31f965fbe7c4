"""tiles: each pixel where it belongs, in its own colour, whatever the shape of the images."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pipeline.report.tiles import WHITE, framed, mosaic, read_tiles, to_tiles


@st.composite
def images(draw, most=12):
    rows = draw(st.integers(0, 4))
    height, width = draw(st.integers(1, most)), draw(st.integers(1, most))
    return draw(arrays(np.uint8, (rows, height, width, draw(st.sampled_from([1, 2, 3, 4])))))


@given(images())
def test_small_images_keep_every_pixel(drawn):
    tiles = to_tiles(drawn)
    assert tiles.shape == (*drawn.shape[:3], 3)
    for colour in range(3):
        assert np.array_equal(tiles[..., colour], drawn[..., colour if drawn.shape[-1] >= 3 else 0])


@given(st.integers(1, 700), st.integers(1, 700), st.integers(0, 255))
def test_large_images_become_small_and_keep_their_brightness(height, width, value):
    tiles = to_tiles(np.full((2, height, width, 1), value, np.uint8))
    assert max(tiles.shape[1:3]) <= 128
    assert min(tiles.shape) >= 1
    assert (tiles == value).all()


def test_large_image_is_averaged():
    image = np.zeros((1, 256, 256, 3), np.uint8)
    image[0, ::2] = 100
    assert (to_tiles(image) == 50).all()


@given(images())
def test_frame_is_white_and_the_image_in_its_middle(drawn):
    tiles = to_tiles(drawn)
    whole = framed(tiles)
    height, width = whole.shape[1:3]
    assert max(height, width) <= 2 * min(height, width)
    top, left = (height - tiles.shape[1]) // 2, (width - tiles.shape[2]) // 2
    inside = whole[:, top : top + tiles.shape[1], left : left + tiles.shape[2]]
    assert np.array_equal(inside, tiles)
    assert int(whole.sum()) == int(tiles.sum()) + WHITE * (whole.size - tiles.size)


@given(images(), st.data())
def test_mosaic_has_each_tile_at_its_place_and_is_white_elsewhere(drawn, data):
    tiles = to_tiles(drawn)
    shape = data.draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    places = data.draw(arrays(np.int64, shape, elements=st.integers(-1, len(tiles) - 1)))
    whole = mosaic(tiles, places)
    tall, wide = whole.shape[0] // shape[0], whole.shape[1] // shape[1]
    for (row, column), tile in np.ndenumerate(places):
        cell = whole[row * tall : (row + 1) * tall, column * wide : (column + 1) * wide]
        expected = np.full(cell.shape, WHITE)
        if tile >= 0:
            expected[: tiles.shape[1], : tiles.shape[2]] = tiles[tile]
        assert np.array_equal(cell, expected)


def test_rows_are_read_in_any_order_from_several_blocks(by_hand):
    examples = by_hand(shape=(4, 3, 3)).examples
    assert len(examples.blocks["test"]) == 2
    everything = np.concatenate([examples.images(block) for block in examples.blocks["test"]])
    rows = np.array([89, 0, 30, 29, 31, 0])
    assert np.array_equal(read_tiles(examples, "test", rows), everything[rows])
    assert read_tiles(examples, "test", rows[:0]).shape == (0, 4, 3, 3)
