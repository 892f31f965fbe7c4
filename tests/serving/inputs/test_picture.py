"""picture: the pixels are those that TensorFlow decoded at training, and what would change them is refused."""

from __future__ import annotations

import io
import struct
import warnings
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from serving.inputs.picture import MAX_PICTURE_BYTES, decode, is_picture, read_size
from tests.serving.inputs.files_by_hand import (
    CHANNELS,
    GREY,
    GREY_ALPHA,
    PALETTE,
    RGB,
    RGB_ALPHA,
    chunk,
    interlaced,
    palette,
    png,
)

SHAPE = (3, 5, 1)
COLOURED = (3, 5, 3)
RANDOM = np.random.default_rng(11)
COLOURS = RANDOM.integers(0, 256, (3, 5, 3), np.uint8)
GREYS = COLOURS[..., :1]


def samples(colour, depth=8, opaque=True):
    drawn = RANDOM.integers(0, 1 << depth, (3, 5, CHANNELS[colour]))
    if opaque and colour in (GREY_ALPHA, RGB_ALPHA):
        drawn[..., -1] = (1 << depth) - 1
    return drawn


def grey_palette(entries):
    return np.repeat(np.linspace(0, 255, entries).astype(np.uint8)[:, None], 3, axis=1)


def by_tensorflow(content, channels):
    import tensorflow as tf

    return tf.io.decode_png(content, channels=channels).numpy()


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_grey_pictures_are_what_tensorflow_decodes(depth):
    content = png(samples(GREY, depth), GREY, depth)
    np.testing.assert_array_equal(decode(content, SHAPE), by_tensorflow(content, 1))
    np.testing.assert_array_equal(decode(content, COLOURED), by_tensorflow(content, 3))


@pytest.mark.parametrize(("colour", "depth"), [(PALETTE, 1), (PALETTE, 2), (PALETTE, 4), (PALETTE, 8), (RGB, 8)])
def test_coloured_pictures_are_what_tensorflow_decodes(colour, depth):
    colours = RANDOM.integers(0, 256, (1 << depth, 3), np.uint8)
    content = png(samples(colour, depth), colour, depth, before=palette(colours) if colour == PALETTE else b"")
    np.testing.assert_array_equal(decode(content, COLOURED), by_tensorflow(content, 3))
    with pytest.raises(ValueError, match="is coloured, the model takes grey"):
        decode(content, SHAPE)


@pytest.mark.parametrize("colour", [GREY_ALPHA, RGB_ALPHA])
def test_opacity_is_dropped_where_all_is_opaque(colour):
    drawn = samples(colour)
    content = png(drawn, colour)
    np.testing.assert_array_equal(decode(content, COLOURED), np.broadcast_to(drawn[..., :-1], COLOURED))
    drawn[2, 4, -1] = 254
    with pytest.raises(ValueError, match="is transparent in places"):
        decode(png(drawn, colour), COLOURED)


@pytest.mark.parametrize(("colour", "depth"), [(PALETTE, 2), (PALETTE, 8), (RGB, 8), (RGB_ALPHA, 8), (GREY_ALPHA, 8)])
def test_coloured_files_of_grey_pixels_are_grey(colour, depth):
    drawn = samples(colour, depth)
    expected = drawn[..., :1]
    if colour in (RGB, RGB_ALPHA):
        drawn[..., 1:3] = drawn[..., :1]
    if colour == PALETTE:
        expected = grey_palette(1 << depth)[drawn[..., 0]][..., :1]
    before = palette(grey_palette(1 << depth)) if colour == PALETTE else b""
    np.testing.assert_array_equal(decode(png(drawn, colour, depth, before=before), SHAPE), expected)


@pytest.mark.parametrize("channel", [0, 1, 2])
def test_one_pixel_with_a_colour_is_no_grey_picture(channel):
    drawn = np.repeat(samples(GREY), 3, axis=-1)
    decode(png(drawn, RGB), SHAPE)
    drawn[1, 3, channel] ^= 1
    with pytest.raises(ValueError, match="is coloured, the model takes grey"):
        decode(png(drawn, RGB), SHAPE)


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_transparent_grey_is_refused_where_a_pixel_has_it(depth):
    drawn = np.zeros((3, 5, 1), np.uint8)
    key = chunk(b"tRNS", b"\0\1")
    assert not decode(png(drawn, GREY, depth, before=key), SHAPE).any()
    drawn[1, 1] = 1
    with pytest.raises(ValueError, match="is transparent in places"):
        decode(png(drawn, GREY, depth, before=key), SHAPE)


def test_transparent_colour_is_refused_where_a_pixel_has_it():
    key = chunk(b"tRNS", struct.pack(">HHH", *COLOURS[0, 0]))
    with pytest.raises(ValueError, match="is transparent in places"):
        decode(png(COLOURS, RGB, before=key), COLOURED)
    without = COLOURS.copy()
    without[0, 0] ^= 1
    np.testing.assert_array_equal(decode(png(without, RGB, before=key), COLOURED), without)


def test_transparent_entry_of_a_palette_is_refused_where_a_pixel_has_it():
    chunks = palette(grey_palette(4), b"\xff\x00")
    drawn = np.full((3, 5, 1), 2)
    assert (decode(png(drawn, PALETTE, before=chunks), SHAPE) == 170).all()
    drawn[0, 0] = 1
    with pytest.raises(ValueError, match="is transparent in places"):
        decode(png(drawn, PALETTE, before=chunks), SHAPE)


def test_pixel_that_is_not_in_the_palette_is_refused():
    drawn = np.full((3, 5, 1), 3)
    decode(png(drawn, PALETTE, before=palette(grey_palette(4))), SHAPE)
    with pytest.raises(ValueError, match=r"is a damaged picture \(a pixel's colour is not in its palette\)"):
        decode(png(drawn, PALETTE, before=palette(grey_palette(3))), SHAPE)


@pytest.mark.parametrize(
    ("depth", "body"), [(8, None), (8, b""), (8, bytes(7)), (8, bytes(257 * 3)), (4, bytes(17 * 3)), (1, bytes(9))]
)
def test_palette_that_is_none_is_refused(depth, body):
    chunks = b"" if body is None else chunk(b"PLTE", body)
    with pytest.raises(ValueError, match=r"is a damaged PNG picture \(its palette is none\)"):
        decode(png(np.zeros((3, 5, 1), np.uint8), PALETTE, depth, before=chunks), SHAPE)


def jpeg(array, mode=None, kind="JPEG", **said):
    file = io.BytesIO()
    picture = Image.fromarray(array)
    (picture.convert(mode) if mode else picture).save(file, kind, **said)
    return file.getvalue()


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 40), st.integers(1, 40), st.booleans(), st.booleans(), st.integers(30, 100))
def test_jpeg_is_what_tensorflow_decodes_with_the_accurate_transform(height, width, grey, progressive, quality):
    import tensorflow as tf

    drawn = np.random.default_rng(quality).integers(0, 256, (height, width, 3), np.uint8)
    content = jpeg(drawn, "L" if grey else None, quality=quality, progressive=progressive)
    expected = tf.io.decode_jpeg(content, dct_method="INTEGER_ACCURATE").numpy()
    np.testing.assert_array_equal(decode(content, expected.shape), expected)


def test_orientation_is_ignored_as_tensorflow_does():
    import tensorflow as tf

    exif = Image.Exif()
    exif[0x0112] = 6
    content = jpeg(GREYS[..., 0], exif=exif)
    expected = tf.io.decode_jpeg(content, dct_method="INTEGER_ACCURATE").numpy()
    np.testing.assert_array_equal(decode(content, SHAPE), expected)


@pytest.mark.parametrize(
    ("content", "image_shape", "why"),
    [
        (png(samples(GREY, 16), GREY, 16), SHAPE, "has 16 bits a channel, the model takes 8"),
        (jpeg(COLOURS, "CMYK"), COLOURED, "is CMYK, the model takes RGB or grey"),
        (png(GREYS, GREY), (5, 3, 1), "is 5×3 pixels, the model takes 3×5 .width × height.: resize it to fit"),
        (png(GREYS, GREY), (3, 5, 2), "the model takes 2"),
        (png(GREYS, GREY, before=chunk(b"acTL", struct.pack(">II", 2, 0))), SHAPE, "is animated"),
        (jpeg(COLOURS, kind="GIF"), COLOURED, "is no PNG or JPEG picture"),
        (b"", SHAPE, "is no PNG or JPEG picture"),
        (png(GREYS, GREY)[:50], SHAPE, "is a damaged PNG picture"),
        (jpeg(GREYS[..., 0])[:-30], SHAPE, "is a damaged JPEG picture .it was cut short"),
    ],
)
def test_what_would_have_to_be_changed_is_refused(content, image_shape, why):
    with pytest.raises(ValueError, match=why) as caught:
        decode(content, image_shape)
    assert "\n" not in str(caught.value)


def test_pixels_that_are_not_there_are_refused():
    whole = png(GREYS, GREY)
    start = whole.index(b"IDAT") - 4

    def with_pixels(packed):
        return whole[:start] + chunk(b"IDAT", packed) + chunk(b"IEND", b"")

    # Three rows of a filter and five pixels.
    assert not decode(with_pixels(zlib.compress(bytes(18))), SHAPE).any()
    for wrong in (zlib.compress(bytes(17)), zlib.compress(bytes(19)), zlib.compress(bytes(18))[:-1]):
        with pytest.raises(ValueError, match=r"is a damaged PNG picture .it has not as many pixels as it says"):
            decode(with_pixels(wrong), SHAPE)
    with pytest.raises(ValueError, match=r"is a damaged PNG picture .Error -3"):
        decode(with_pixels(zlib.compress(bytes(18))[:-4] + bytes(4)), SHAPE)


@settings(deadline=None)
@given(st.integers(1, 12), st.integers(1, 12), st.sampled_from(["1", "L", "RGB"]))
def test_interlaced_pictures_of_every_size_are_decoded(height, width, mode):
    import tensorflow as tf

    drawn = np.random.default_rng(height * 20 + width).integers(0, 256, (height, width, 3), np.uint8)
    pixels = np.asarray(Image.fromarray(drawn).convert(mode).convert("RGB"))
    content = interlaced(pixels, {"1": 1}.get(mode, 8), RGB if mode == "RGB" else GREY)
    np.testing.assert_array_equal(decode(content, pixels.shape), pixels)
    np.testing.assert_array_equal(tf.io.decode_png(content, channels=3), pixels)


def test_large_pictures_are_refused_by_their_header(monkeypatch):
    from serving.inputs import picture

    monkeypatch.setattr(picture, "_decode", lambda pixels: pytest.fail("it was decoded"))
    bomb = png(np.zeros((1, 1, 1), np.uint8), GREY)
    bomb = bomb[:8] + chunk(b"IHDR", struct.pack(">IIBBBBB", 2**31 - 1, 2**31 - 1, 8, 0, 0, 0, 0)) + bomb[33:]
    assert read_size(bomb) == (2**31 - 1, 2**31 - 1)
    with pytest.raises(ValueError, match="resize it to fit"):
        decode(bomb, SHAPE)


def test_pixels_without_end_are_not_unpacked():
    import tracemalloc

    whole = png(GREYS, GREY)
    endless = whole[: whole.index(b"IDAT") - 4] + chunk(b"IDAT", zlib.compress(bytes(20_000_000))) + chunk(b"IEND", b"")
    tracemalloc.start()
    with pytest.raises(ValueError, match="it has not as many pixels as it says"):
        decode(endless, SHAPE)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_what_pillow_would_warn_of_does_not_come_through():
    # A damaged EXIF segment, and a damaged animation, of which Pillow warns.
    exif = b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\x1a\x01\x05\0\1\0\0\0\xff\xff\xff\xff"
    plain = jpeg(GREYS[..., 0])
    content = plain[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + plain[2:]
    with pytest.warns(UserWarning, match="Truncated File Read"):
        Image.open(io.BytesIO(content)).load()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        np.testing.assert_array_equal(decode(content, SHAPE), decode(plain, SHAPE))
    assert warned == []


def test_kind_is_told_by_the_first_bytes():
    assert is_picture(png(GREYS, GREY)[:8])
    assert is_picture(jpeg(COLOURS)[:8])
    assert not is_picture(jpeg(COLOURS, kind="GIF")[:8])
    assert not is_picture(b"")
    assert MAX_PICTURE_BYTES == 1 << 28
