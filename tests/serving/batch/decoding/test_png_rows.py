"""png_rows: filters are applied as the definition of PNG says, in each picture alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.batch.decoding.png_rows import unfilter


def by_definition(rows, height, width, channels):
    """The filters 0 to 4 of the PNG specification, byte by byte."""
    stride = width * channels
    pixels = np.zeros((height, stride), int)
    for y in range(height):
        kind, *coded = rows[y * (1 + stride) : (y + 1) * (1 + stride)]
        for x, value in enumerate(coded):
            left = pixels[y, x - channels] if x >= channels else 0
            up = pixels[y - 1, x] if y else 0
            corner = pixels[y - 1, x - channels] if y and x >= channels else 0
            nearest = min((left, up, corner), key=lambda one: abs(left + up - corner - one))
            pixels[y, x] = (value + [0, left, up, (left + up) // 2, nearest][kind]) % 256
    return pixels.reshape(height, width, channels).astype(np.uint8)


@settings(deadline=None)
@given(st.integers(1, 5), st.integers(1, 6), st.integers(1, 7), st.integers(1, 4), st.integers(0, 1000))
def test_pixels_follow_the_definition_of_each_filter(count, height, width, channels, seed):
    random = np.random.default_rng(seed)
    pictures = []
    for _ in range(count):
        rows = random.integers(0, 256, (height, 1 + width * channels), np.uint8)
        rows[:, 0] = random.integers(0, 5, height)
        pictures.append(rows.tobytes())
    expected = [by_definition(rows, height, width, channels) for rows in pictures]
    np.testing.assert_array_equal(unfilter(pictures, (height, width, channels)), np.stack(expected))


def test_unknown_filter_is_refused():
    with pytest.raises(ValueError, match=r"."):
        unfilter([bytes(6), b"\x09" + bytes(5)], (1, 5, 1))
