"""background: pixels are mixed with exact fractions, and colours are read or refused."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from serving.batch.decoding import background
from serving.batch.decoding.background import format_colour, lay_on, parse_colour, require_fit
from serving.errors import InputError

BYTES = np.arange(256, dtype=np.uint8)


def nearest(pixel, opacity, below):
    """The nearest integer to the mixture: there is never a tie, because 255 is odd."""
    return round(Fraction(pixel * opacity + below * (255 - opacity), 255))


@pytest.mark.parametrize("below", [0, 1, 127, 254, 255])
def test_every_pixel_with_every_opacity_is_the_nearest_integer(below):
    pixels = np.broadcast_to(BYTES[:, None, None], (256, 256, 1))
    opacity = np.broadcast_to(BYTES[None, :, None], (256, 256, 1))
    expected = [[nearest(pixel, alpha, below) for alpha in range(256)] for pixel in range(256)]
    laid = lay_on(pixels, opacity, (below, below, below))
    assert (laid.dtype, laid.shape) == (np.uint8, (256, 256, 1))
    np.testing.assert_array_equal(laid[..., 0], expected)
    by_pillow = Image.new("L", (256, 256), below)
    by_pillow.paste(Image.fromarray(pixels[..., 0]), mask=Image.fromarray(opacity[..., 0]))
    np.testing.assert_array_equal(laid[..., 0], np.asarray(by_pillow))


@given(st.tuples(*[st.integers(0, 255)] * 3), st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 3]))
def test_channels_are_laid_on_their_own(colour, height, width, channels):
    random = np.random.default_rng(height * 10 + width)
    pixels = random.integers(0, 256, (height, width, channels), np.uint8)
    opacity = random.integers(0, 256, (height, width, 1), np.uint8)
    laid = lay_on(pixels, opacity, colour)
    assert laid.shape[2] == (1 if channels == 1 and len(set(colour)) == 1 else 3)
    for (row, column, channel), value in np.ndenumerate(laid):
        expected = nearest(int(pixels[row, column, channel % channels]), int(opacity[row, column, 0]), colour[channel])
        assert value == expected


def test_large_pictures_are_laid_in_parts(monkeypatch):
    random = np.random.default_rng(1)
    pixels, opacity = random.integers(0, 256, (7, 5, 3), np.uint8), random.integers(0, 256, (7, 5, 1), np.uint8)
    whole = lay_on(pixels, opacity, (9, 8, 7))
    for size in (1, 60, 61):
        monkeypatch.setattr(background, "PART_BYTES", size)
        np.testing.assert_array_equal(lay_on(pixels, opacity, (9, 8, 7)), whole)


@pytest.mark.parametrize(
    ("text", "colour"),
    [("white", (255, 255, 255)), ("Black", (0, 0, 0)), ("#10203a", (16, 32, 58)), ("#FFFFFF", (255, 255, 255))],
)
def test_colours_are_read_by_name_or_code(text, colour):
    assert parse_colour(text) == colour
    assert parse_colour(format_colour(colour)) == colour


@pytest.mark.parametrize("text", ["", "red", "#fff", "ffffff", "#gggggg", "#1234567", "#12345٣"])
def test_other_texts_are_refused(text):
    with pytest.raises(ValueError, match="is not a colour"):
        parse_colour(text)


def test_grey_pictures_take_grey_colours_only():
    for fitting in (((7, 7, 7), 1), ((1, 2, 3), 3)):
        require_fit(*fitting)
    with pytest.raises(InputError, match=r"--ingest\.background #010203 has colours, but the pictures are grey: give"):
        require_fit((1, 2, 3), 1)
