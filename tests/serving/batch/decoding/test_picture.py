"""picture: the pixels are those that TensorFlow decoded in training."""

from __future__ import annotations

import io
import struct
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from serving.batch.decoding.picture import MAX_PICTURE_BYTES, decode
from tests.serving.batch.inputs.encoded_files import (
    GREY,
    GREY_ALPHA,
    PALETTE,
    RGB,
    RGB_ALPHA,
    interlaced,
    palette,
    png,
)
from tests.serving.batch.inputs.picture_files import (
    COLOURED,
    GREYS,
    RANDOM,
    SHAPE,
    grey_palette,
    jpeg,
    samples,
)


def by_tensorflow(content, channels):
    import tensorflow as tf

    return tf.io.decode_png(content, channels=channels).numpy()


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_grey_pictures_equal_those_of_tensorflow(depth):
    content = png(samples(GREY, depth), GREY, depth)
    np.testing.assert_array_equal(decode(content, SHAPE), by_tensorflow(content, 1))
    np.testing.assert_array_equal(decode(content, COLOURED), by_tensorflow(content, 3))


@pytest.mark.parametrize(("colour", "depth"), [(PALETTE, 1), (PALETTE, 2), (PALETTE, 4), (PALETTE, 8), (RGB, 8)])
def test_colour_pictures_equal_those_of_tensorflow(colour, depth):
    colours = RANDOM.integers(0, 256, (1 << depth, 3), np.uint8)
    content = png(samples(colour, depth), colour, depth, before=palette(colours) if colour == PALETTE else b"")
    np.testing.assert_array_equal(decode(content, COLOURED), by_tensorflow(content, 3))
    with pytest.raises(ValueError, match="has colours, the model takes grey"):
        decode(content, SHAPE)


@pytest.mark.parametrize("colour", [GREY_ALPHA, RGB_ALPHA])
def test_opacity_of_an_opaque_picture_is_removed(colour):
    drawn = samples(colour)
    content = png(drawn, colour)
    np.testing.assert_array_equal(decode(content, COLOURED), np.broadcast_to(drawn[..., :-1], COLOURED))
    drawn[2, 4, -1] = 254
    with pytest.raises(ValueError, match="has transparent pixels"):
        decode(png(drawn, colour), COLOURED)


@pytest.mark.parametrize(("colour", "depth"), [(PALETTE, 2), (PALETTE, 8), (RGB, 8), (RGB_ALPHA, 8), (GREY_ALPHA, 8)])
def test_colour_files_with_grey_pixels_are_read_as_grey(colour, depth):
    drawn = samples(colour, depth)
    expected = drawn[..., :1]
    if colour in (RGB, RGB_ALPHA):
        drawn[..., 1:3] = drawn[..., :1]
    if colour == PALETTE:
        expected = grey_palette(1 << depth)[drawn[..., 0]][..., :1]
    before = palette(grey_palette(1 << depth)) if colour == PALETTE else b""
    np.testing.assert_array_equal(decode(png(drawn, colour, depth, before=before), SHAPE), expected)


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 40), st.integers(1, 40), st.booleans(), st.booleans(), st.integers(30, 100))
def test_jpeg_pictures_equal_those_of_tensorflow_with_the_accurate_transform(height, width, grey, progressive, quality):
    import tensorflow as tf

    drawn = np.random.default_rng(quality).integers(0, 256, (height, width, 3), np.uint8)
    content = jpeg(drawn, "L" if grey else None, quality=quality, progressive=progressive)
    expected = tf.io.decode_jpeg(content, dct_method="INTEGER_ACCURATE").numpy()
    np.testing.assert_array_equal(decode(content, expected.shape), expected)


@settings(deadline=None)
@given(st.integers(1, 12), st.integers(1, 12), st.sampled_from(["1", "L", "RGB"]))
def test_interlaced_pictures_of_every_size_are_decoded(height, width, mode):
    import tensorflow as tf

    drawn = np.random.default_rng(height * 20 + width).integers(0, 256, (height, width, 3), np.uint8)
    pixels = np.asarray(Image.fromarray(drawn).convert(mode).convert("RGB"))
    content = interlaced(pixels, {"1": 1}.get(mode, 8), RGB if mode == "RGB" else GREY)
    np.testing.assert_array_equal(decode(content, pixels.shape), pixels)
    np.testing.assert_array_equal(tf.io.decode_png(content, channels=3), pixels)


def test_warnings_of_pillow_are_not_passed_on():
    # A damaged EXIF segment, about which Pillow warns.
    exif = b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\x1a\x01\x05\0\1\0\0\0\xff\xff\xff\xff"
    plain = jpeg(GREYS[..., 0])
    content = plain[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + plain[2:]
    with pytest.warns(UserWarning, match="Truncated File Read"):
        Image.open(io.BytesIO(content)).load()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        np.testing.assert_array_equal(decode(content, SHAPE), decode(plain, SHAPE))
    assert warned == []


def test_size_of_files_is_limited():
    assert MAX_PICTURE_BYTES == 1 << 28
