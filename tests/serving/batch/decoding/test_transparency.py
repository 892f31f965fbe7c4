"""channels: every format is laid on a background alike, and opacity is a channel where the model takes one."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image

from serving.batch.decoding.many_pictures import decode_all
from serving.batch.decoding.picture import decode
from tests.serving.batch.inputs.encoded_files import GREY, GREY_ALPHA, PALETTE, RGB, RGB_ALPHA, chunk, palette, png
from tests.serving.batch.inputs.picture_files import jpeg

RANDOM = np.random.default_rng(3)
COLOURS = RANDOM.integers(0, 256, (6, 5, 4), np.uint8)
GREYS = RANDOM.integers(0, 256, (6, 5, 2), np.uint8)
RED, GREY_BACKGROUND = (200, 16, 3), (90, 90, 90)


def laid(pixels, opacity, colour):
    """In float64, where all products are exact, and rounded."""
    pixels, opacity = (np.asarray(part, np.float64) for part in (pixels, opacity))
    return np.rint((pixels * opacity + np.array(colour) * (255 - opacity)) / 255)


@pytest.mark.parametrize("kind", ["PNG", "WebP", "TIFF"])
@pytest.mark.parametrize("colour", [RED, GREY_BACKGROUND, (255, 255, 255), (0, 0, 0)])
def test_colours_are_laid_on_the_background_in_every_format(kind, colour):
    options = {"lossless": True, "exact": True} if kind == "WebP" else {}
    content = jpeg(COLOURS, kind=kind, **options)
    expected = laid(COLOURS[..., :3], COLOURS[..., 3:], colour)
    np.testing.assert_array_equal(decode(content, (6, 5, 3), background=colour), expected)
    with pytest.raises(ValueError, match="has transparent pixels: save it on a background, or train a model with --in"):
        decode(content, (6, 5, 3))


def test_grey_is_laid_on_grey_for_a_grey_model_and_on_colours_for_another():
    content = png(GREYS, GREY_ALPHA)
    grey = laid(GREYS[..., :1], GREYS[..., 1:], GREY_BACKGROUND[:1])
    np.testing.assert_array_equal(decode(content, (6, 5, 1), background=GREY_BACKGROUND), grey)
    np.testing.assert_array_equal(decode(content, (6, 5, 3), background=GREY_BACKGROUND), np.repeat(grey, 3, axis=2))
    coloured = laid(np.repeat(GREYS[..., :1], 3, axis=2), GREYS[..., 1:], RED)
    np.testing.assert_array_equal(decode(content, (6, 5, 3), background=RED), coloured)


def test_hidden_colours_do_not_count_for_a_grey_model():
    drawn = np.repeat(GREYS[..., :1], 3, axis=2)
    drawn[0, 0] = 1, 2, 3
    opacity = np.full((6, 5, 1), 255, np.uint8)
    opacity[0, 0] = 0
    content = png(np.dstack([drawn, opacity]), RGB_ALPHA)
    pixels = decode(content, (6, 5, 1), background=(255, 255, 255))
    assert pixels[0, 0] == 255
    np.testing.assert_array_equal(pixels[1:], drawn[1:, :, :1])


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_palettes_and_transparent_colours_are_laid_on_the_background(depth):
    colours = RANDOM.integers(0, 256, (1 << depth, 3), np.uint8)
    opacity = RANDOM.integers(0, 256, (1 << depth, 1), np.uint8)
    drawn = RANDOM.integers(0, 1 << depth, (6, 5, 1))
    content = png(drawn, PALETTE, depth, before=palette(colours, opacity.tobytes()))
    expected = laid(colours[drawn[..., 0]], opacity[drawn[..., 0]], RED)
    np.testing.assert_array_equal(decode(content, (6, 5, 3), background=RED), expected)
    drawn[0, 0] = 1
    content = png(drawn, GREY, depth, before=chunk(b"tRNS", b"\0\1"))
    levels = np.where(drawn == 1, GREY_BACKGROUND[0], drawn * (255 // ((1 << depth) - 1)))
    np.testing.assert_array_equal(decode(content, (6, 5, 1), background=GREY_BACKGROUND), levels)


def test_a_transparent_colour_of_a_colour_picture_becomes_the_background():
    drawn = COLOURS[..., :3]
    content = png(drawn, RGB, before=chunk(b"tRNS", struct.pack(">HHH", *drawn[2, 3])))
    expected = drawn.copy()
    expected[2, 3] = RED
    np.testing.assert_array_equal(decode(content, (6, 5, 3), background=RED), expected)


def test_the_transparent_colour_of_a_gif_becomes_the_background():
    drawn = np.array([[0, 1, 2, 1, 0]] * 6, np.uint8)
    picture = Image.fromarray(drawn, "P")
    picture.putpalette([9, 9, 9, 70, 80, 90, 1, 2, 3])
    file = io.BytesIO()
    picture.save(file, "GIF", transparency=1, optimize=False)
    expected = np.array([[9, 9, 9], RED, [1, 2, 3]])[drawn]
    np.testing.assert_array_equal(decode(file.getvalue(), (6, 5, 3), background=RED), expected)


def test_pictures_are_laid_before_they_are_resized():
    content = png(COLOURS, RGB_ALPHA)
    flat = laid(COLOURS[..., :3], COLOURS[..., 3:], RED).astype(np.uint8)
    expected = Image.fromarray(flat).resize((3, 4), Image.Resampling.BILINEAR, reducing_gap=1.0)
    np.testing.assert_array_equal(decode(content, (4, 3, 3), True, background=RED), np.asarray(expected))


def test_models_with_opacity_take_it_and_opaque_pictures():
    opaque = np.full((6, 5, 1), 255, np.uint8)
    three = [GREYS[..., :1]] * 3
    for content, expected in (
        (png(COLOURS, RGB_ALPHA), COLOURS),
        (jpeg(COLOURS, kind="WebP", lossless=True, exact=True), COLOURS),
        (png(COLOURS[..., :3], RGB), np.dstack([COLOURS[..., :3], opaque])),
        (png(GREYS, GREY_ALPHA), np.dstack([*three, GREYS[..., 1:]])),
        (png(GREYS[..., :1], GREY), np.dstack([*three, opaque])),
    ):
        np.testing.assert_array_equal(decode(content, (6, 5, 4)), expected)
        images = np.zeros((1, 6, 5, 4), np.uint8)
        assert decode_all([content], images) == []
        np.testing.assert_array_equal(images[0], expected)
    for content, expected in (
        (png(GREYS, GREY_ALPHA), GREYS),
        (png(np.dstack([*three, GREYS[..., 1:]]), RGB_ALPHA), GREYS),
        (png(GREYS[..., :1], GREY), np.dstack([GREYS[..., :1], opaque])),
    ):
        np.testing.assert_array_equal(decode(content, (6, 5, 2)), expected)
    with pytest.raises(ValueError, match="has colours, the model takes grey"):
        decode(png(COLOURS, RGB_ALPHA), (6, 5, 2))
    photograph = jpeg(COLOURS[..., :3], quality=90)
    for shape, resizing in (((6, 5), False), ((3, 2), True)):
        pixels = decode(photograph, (*shape, 4), resizing)
        np.testing.assert_array_equal(pixels[..., :3], decode(photograph, (*shape, 3), resizing))
        assert (pixels[..., 3] == 255).all()


def test_opacity_is_resized_as_every_other_channel():
    pixels = decode(png(COLOURS, RGB_ALPHA), (4, 3, 4), True)
    for channel in range(4):
        one = Image.fromarray(COLOURS[..., channel]).resize((3, 4), Image.Resampling.BILINEAR, reducing_gap=1.0)
        np.testing.assert_array_equal(pixels[..., channel], np.asarray(one))
