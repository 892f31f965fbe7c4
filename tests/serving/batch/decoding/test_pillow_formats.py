"""pillow_formats: pixels that a library wrote are read again, and what would lose something is refused."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from serving.batch.decoding.picture import decode, read_size
from serving.batch.folders.picture_header import PictureHeader, parse_header
from serving.batch.inputs.kinds import picture_kind

RANDOM = np.random.default_rng(8)
COLOURS = RANDOM.integers(0, 256, (6, 5, 3), np.uint8)
GREYS = RANDOM.integers(0, 256, (6, 5), np.uint8)
LOSSLESS = {"WebP": {"lossless": True}, "TIFF": {"compression": "tiff_lzw"}}


def saved(image, kind, **options):
    out = io.BytesIO()
    image.save(out, {"WebP": "WEBP", "PNM": "PPM"}.get(kind, kind), **{**LOSSLESS.get(kind, {}), **options})
    return out.getvalue()


@pytest.mark.parametrize("kind", ["WebP", "BMP", "TIFF", "PNM"])
def test_colours_are_those_that_were_written(kind):
    content = saved(Image.fromarray(COLOURS), kind)
    assert picture_kind(content) == kind
    np.testing.assert_array_equal(decode(content, (6, 5, 3)), COLOURS)
    assert read_size(content) == (5, 6)
    assert parse_header(content) == PictureHeader(6, 5, True)


@pytest.mark.parametrize("kind", ["BMP", "TIFF", "PNM", "GIF"])
def test_grey_pictures_are_grey(kind):
    content = saved(Image.fromarray(GREYS), kind)
    np.testing.assert_array_equal(decode(content, (6, 5, 1))[..., 0], GREYS)
    np.testing.assert_array_equal(decode(content, (6, 5, 3)), np.repeat(GREYS[..., None], 3, axis=2))
    assert parse_header(content) == PictureHeader(6, 5, False)


def test_grey_webp_fits_a_grey_model():
    content = saved(Image.fromarray(GREYS), "WebP")
    np.testing.assert_array_equal(decode(content, (6, 5, 1))[..., 0], GREYS)


@pytest.mark.parametrize("kind", ["BMP", "TIFF", "PNM", "GIF"])
def test_pictures_of_one_bit_are_black_and_white(kind):
    bits = GREYS > 100
    content = saved(Image.fromarray(bits), kind)
    np.testing.assert_array_equal(decode(content, (6, 5, 1))[..., 0], bits * 255)


def test_first_frame_of_a_gif_is_read_and_other_animations_are_refused():
    frames = [Image.fromarray(np.full((6, 5), value, np.uint8)) for value in (10, 200, 90)]
    gif = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    np.testing.assert_array_equal(decode(gif, (6, 5, 1)), np.full((6, 5, 1), 10))
    for kind in ("WebP", "TIFF"):
        content = saved(frames[0], kind, save_all=True, append_images=frames[1:])
        with pytest.raises(ValueError, match="has 3 frames: save one of them"):
            decode(content, (6, 5, 1))


@pytest.mark.parametrize(
    ("image", "kind", "message"),
    [
        (Image.fromarray(GREYS.astype(np.uint16) * 257), "TIFF", r"16 bits per channel, the model takes 8: divide its"),
        (
            Image.fromarray(GREYS.astype(np.int32)),
            "TIFF",
            "has pixels of the type I, the model takes grey or RGB with 8",
        ),
        (Image.fromarray(GREYS.astype(np.float32)), "TIFF", "has pixels of the type F, the model takes grey or RGB"),
        (Image.fromarray(COLOURS).convert("CMYK"), "TIFF", "has pixels of the type CMYK"),
        (Image.fromarray(np.dstack([COLOURS, GREYS // 2])), "WebP", "has transparent pixels"),
        (Image.fromarray(COLOURS), "TIFF", "has colours, the model takes grey"),
    ],
)
def test_pictures_that_would_need_a_conversion_are_refused(image, kind, message):
    with pytest.raises(ValueError, match=message):
        decode(saved(image, kind), (6, 5, 1))


@pytest.mark.parametrize("kind", ["WebP", "BMP", "TIFF", "PNM", "GIF"])
def test_damaged_pictures_are_refused(kind):
    content = saved(Image.fromarray(COLOURS if kind != "GIF" else GREYS), kind)
    with pytest.raises(ValueError, match=f"is a damaged {kind} picture"):
        decode(content[: len(content) // 2], (6, 5, 3))


@pytest.mark.parametrize("text", [b"BMW 320d is a car, and this is text", b"P5", b"RIFF1234WAVE", b"II", b"GIF", b""])
def test_text_is_no_picture(text):
    assert picture_kind(text) is None
