"""picture: a picture that would have to be converted, and a damaged one, are refused."""

from __future__ import annotations

import pickle
import struct
import zlib

import numpy as np
import pytest

from serving.batch.decoding.picture import decode, read_size
from serving.batch.decoding.picture_error import PictureError
from tests.serving.batch.inputs.encoded_files import (
    GREY,
    PALETTE,
    RGB,
    chunk,
    palette,
    png,
)
from tests.serving.batch.inputs.picture_files import (
    COLOURED,
    COLOURS,
    GREYS,
    SHAPE,
    grey_palette,
    jpeg,
    samples,
)


@pytest.mark.parametrize("channel", [0, 1, 2])
def test_picture_with_one_coloured_pixel_is_not_grey(channel):
    drawn = np.repeat(samples(GREY), 3, axis=-1)
    decode(png(drawn, RGB), SHAPE)
    drawn[1, 3, channel] ^= 1
    with pytest.raises(ValueError, match="has colours, the model takes grey"):
        decode(png(drawn, RGB), SHAPE)


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_transparent_grey_is_refused_if_a_pixel_has_it(depth):
    drawn = np.zeros((3, 5, 1), np.uint8)
    key = chunk(b"tRNS", b"\0\1")
    assert not decode(png(drawn, GREY, depth, before=key), SHAPE).any()
    drawn[1, 1] = 1
    with pytest.raises(ValueError, match="has transparent pixels"):
        decode(png(drawn, GREY, depth, before=key), SHAPE)


def test_transparent_colour_is_refused_if_a_pixel_has_it():
    key = chunk(b"tRNS", struct.pack(">HHH", *COLOURS[0, 0]))
    with pytest.raises(ValueError, match="has transparent pixels"):
        decode(png(COLOURS, RGB, before=key), COLOURED)
    without = COLOURS.copy()
    without[0, 0] ^= 1
    np.testing.assert_array_equal(decode(png(without, RGB, before=key), COLOURED), without)


def test_transparent_palette_entry_is_refused_if_a_pixel_has_it():
    chunks = palette(grey_palette(4), b"\xff\x00")
    drawn = np.full((3, 5, 1), 2)
    assert (decode(png(drawn, PALETTE, before=chunks), SHAPE) == 170).all()
    drawn[0, 0] = 1
    with pytest.raises(ValueError, match="has transparent pixels"):
        decode(png(drawn, PALETTE, before=chunks), SHAPE)


def test_pixel_that_is_not_in_the_palette_is_refused():
    drawn = np.full((3, 5, 1), 3)
    decode(png(drawn, PALETTE, before=palette(grey_palette(4))), SHAPE)
    with pytest.raises(ValueError, match=r"is a damaged picture \(a pixel's colour is not in its palette\)"):
        decode(png(drawn, PALETTE, before=palette(grey_palette(3))), SHAPE)


@pytest.mark.parametrize(
    ("depth", "body"), [(8, None), (8, b""), (8, bytes(7)), (8, bytes(257 * 3)), (4, bytes(17 * 3)), (1, bytes(9))]
)
def test_invalid_palette_is_refused(depth, body):
    chunks = b"" if body is None else chunk(b"PLTE", body)
    with pytest.raises(ValueError, match=r"is a damaged PNG picture \(its palette is not valid\)"):
        decode(png(np.zeros((3, 5, 1), np.uint8), PALETTE, depth, before=chunks), SHAPE)


@pytest.mark.parametrize(
    ("content", "image_shape", "reason"),
    [
        (png(samples(GREY, 16), GREY, 16), SHAPE, "has 16 bits per channel, the model takes 8"),
        (jpeg(COLOURS, "CMYK"), COLOURED, "is CMYK, the model takes RGB or grey"),
        (png(GREYS, GREY), (5, 3, 1), "is 5×3 pixels, the model takes 3×5 .width × height.: resize it to fit"),
        (png(GREYS, GREY), (3, 5, 5), "has 1 to 4 channels, the model takes 5: save the images as an array"),
        (png(GREYS, GREY, before=chunk(b"acTL", struct.pack(">II", 2, 0))), SHAPE, "is animated"),
        (b"", SHAPE, "is not a picture, but empty: repair or remove it"),
        (b"text", SHAPE, "is not a picture, but starts with b'text'"),
        (b"PK\x03\x04 and more", SHAPE, "is not a picture, but a zip file"),
        (b"\0\0\0\x18ftypheic", SHAPE, "is a HEIC picture, which cannot be read: convert it to PNG or JPEG"),
        (b"\0\0\0\x1cftypavif", SHAPE, "is an AVIF picture, which cannot be read"),
        (b"\xff\x0a\0\0", SHAPE, "is a JPEG XL picture, which cannot be read: convert it to PNG or JPEG"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", SHAPE, "is a JPEG XL picture, which cannot be read"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1", SHAPE, "run `git lfs pull` in its repository"),
        (b"/annex/objects/SHA256E-s1--2.png\n", SHAPE, "run `git annex get` in its repository"),
        (png(GREYS, GREY)[:50], SHAPE, "is a damaged PNG picture"),
        (jpeg(GREYS[..., 0])[:-30], SHAPE, "is a damaged JPEG picture .it is incomplete"),
    ],
)
def test_picture_that_would_need_a_conversion_is_refused(content, image_shape, reason):
    with pytest.raises(PictureError, match=reason) as caught:
        decode(content, image_shape)
    assert "\n" not in str(caught.value)
    # Other processes send their errors by pickle.
    sent = pickle.loads(pickle.dumps(caught.value))
    assert (sent.kind, str(sent)) == (caught.value.kind, str(caught.value))
    assert str(sent) == f"{sent.fact}: {sent.advice}"


def test_wrong_number_of_pixels_is_refused():
    whole = png(GREYS, GREY)
    start = whole.index(b"IDAT") - 4

    def with_pixels(packed):
        return whole[:start] + chunk(b"IDAT", packed) + chunk(b"IEND", b"")

    # Three rows of a filter and five pixels.
    assert not decode(with_pixels(zlib.compress(bytes(18))), SHAPE).any()
    for wrong in (zlib.compress(bytes(17)), zlib.compress(bytes(19)), zlib.compress(bytes(18))[:-1]):
        with pytest.raises(ValueError, match=r"is a damaged PNG picture .its pixels do not match its header"):
            decode(with_pixels(wrong), SHAPE)
    with pytest.raises(ValueError, match=r"is a damaged PNG picture .Error -3"):
        decode(with_pixels(zlib.compress(bytes(18))[:-4] + bytes(4)), SHAPE)


def test_large_pictures_are_refused_by_their_header(monkeypatch):
    from serving.batch.decoding import picture

    monkeypatch.setattr(picture, "_decode", lambda pixels: pytest.fail("it was decoded"))
    bomb = png(np.zeros((1, 1, 1), np.uint8), GREY)
    bomb = bomb[:8] + chunk(b"IHDR", struct.pack(">IIBBBBB", 2**31 - 1, 2**31 - 1, 8, 0, 0, 0, 0)) + bomb[33:]
    assert read_size(bomb) == (2**31 - 1, 2**31 - 1)
    with pytest.raises(ValueError, match="resize it to fit"):
        decode(bomb, SHAPE)


def test_endless_pixels_are_not_decompressed():
    import tracemalloc

    whole = png(GREYS, GREY)
    endless = whole[: whole.index(b"IDAT") - 4] + chunk(b"IDAT", zlib.compress(bytes(20_000_000))) + chunk(b"IEND", b"")
    tracemalloc.start()
    with pytest.raises(ValueError, match="its pixels do not match its header"):
        decode(endless, SHAPE)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000
