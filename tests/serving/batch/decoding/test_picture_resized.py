"""picture: pictures of any size are resized to the pixels that Pillow alone gives, and many are decoded as one is."""

from __future__ import annotations

import io
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from serving.batch.decoding import many_pictures, picture
from serving.batch.decoding.many_pictures import decode_all
from serving.batch.decoding.picture import decode
from tests.serving.batch.inputs.encoded_files import GREY, GREY_ALPHA, PALETTE, RGB, RGB_ALPHA, chunk, palette, png
from tests.serving.batch.inputs.picture_files import COLOURED, SHAPE, grey_palette, jpeg, samples


def by_pillow(content, size):
    """As the guide says: width and height."""
    drawn = Image.open(io.BytesIO(content))
    drawn.draft(None, size)
    return np.asarray(drawn.resize(size, Image.Resampling.BILINEAR, reducing_gap=1.0))


def photograph(height, width, seed=1):
    coarse = np.random.default_rng(seed).integers(0, 256, (5, 6, 3), np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 90), st.integers(1, 90), st.integers(1, 40), st.integers(1, 40), st.sampled_from(["JPEG", "PNG"]))
def test_resized_pictures_equal_those_of_pillow(height, width, to_height, to_width, kind):
    content = jpeg(photograph(height, width), kind=kind)
    resized = decode(content, (to_height, to_width, 3), resizing=True)
    np.testing.assert_array_equal(resized, by_pillow(content, (to_width, to_height)))


@pytest.mark.parametrize("side", [32, 50, 64, 100, 128])
def test_scaled_decoding_is_close_to_resizing_all_pixels(side):
    content = jpeg(photograph(256, 256), quality=90)
    scaled = decode(content, (side, side, 3), resizing=True).astype(int)
    whole = Image.open(io.BytesIO(content)).resize((side, side), Image.Resampling.BILINEAR)
    assert np.abs(scaled - np.asarray(whole)).mean() < 2


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_colours_are_refused_before_resizing_averages_them(kind):
    drawn = np.full((64, 64, 3), 128, np.uint8)
    # Each pair averages to grey.
    drawn[::2, :, 0], drawn[1::2, :, 0] = 108, 148
    content = jpeg(drawn, kind=kind, **({"subsampling": 0, "quality": 95} if kind == "JPEG" else {}))
    with pytest.raises(ValueError, match="has colours, the model takes grey"):
        decode(content, (8, 8, 1), resizing=True)
    drawn[..., 0] = 128
    assert (decode(jpeg(drawn, kind=kind), (8, 8, 1), resizing=True) == 128).all()


def test_result_is_written_into_the_given_image():
    content = jpeg(photograph(40, 30))
    for shape, resizing in (((40, 30, 3), False), ((20, 15, 3), True), ((11, 12, 3), True)):
        out = np.zeros(shape, np.uint8)
        assert decode(content, shape, resizing, out) is out
        np.testing.assert_array_equal(out, decode(content, shape, resizing))


def every_kind():
    grey, colour = samples(GREY), samples(RGB)
    yield png(grey, GREY)
    yield png(colour, RGB)
    yield png(samples(GREY_ALPHA), GREY_ALPHA)
    yield png(samples(RGB_ALPHA), RGB_ALPHA)
    yield png(samples(RGB_ALPHA, opaque=False), RGB_ALPHA)
    yield png(samples(GREY, 2), GREY, 2)
    yield png(samples(PALETTE, 4), PALETTE, 4, before=palette(grey_palette(16)))
    yield png(grey, GREY, before=chunk(b"tRNS", b"\0\1"))
    yield jpeg(np.repeat(grey, 3, axis=2).astype(np.uint8))
    yield jpeg(colour.astype(np.uint8))


def outcome(content, shape):
    try:
        return decode(content, shape).tolist()
    except ValueError as error:
        return str(error)


@pytest.mark.parametrize("shape", [SHAPE, COLOURED])
def test_pillow_alone_gives_the_same_pixels_and_errors(monkeypatch, shape):
    contents = list(every_kind())
    quick = [outcome(content, shape) for content in contents]
    monkeypatch.setattr(picture, "MAX_UNPACKED_BYTES", 0)
    monkeypatch.setattr(picture, "decode_quickly", lambda *given: None)
    assert [outcome(content, shape) for content in contents] == quick


@pytest.mark.parametrize("shape", [SHAPE, COLOURED])
@pytest.mark.parametrize("waiting_bytes", [1, 40, 1 << 20])
def test_many_pictures_are_decoded_as_each_alone(monkeypatch, shape, waiting_bytes):
    monkeypatch.setattr(many_pictures, "WAITING_BYTES", waiting_bytes)
    contents = [*every_kind(), None, b"no picture", *every_kind()]
    images = np.full((len(contents), *shape), 7, np.uint8)
    errors = {index: str(error) for index, error in decode_all(contents, images)}
    assert list(errors) == sorted(errors)
    for index, content in enumerate(contents):
        if content is None:
            assert (images[index] == 7).all()
        else:
            expected = outcome(content, shape)
            assert (errors[index] if index in errors else images[index].tolist()) == expected


def test_one_unknown_filter_among_many_pictures_is_found():
    good, bad = (png(samples(GREY), GREY) for _ in range(2))
    rows = bytearray(18)
    rows[6] = 9
    start = bad.index(b"IDAT") - 4
    bad = bad[:start] + chunk(b"IDAT", zlib.compress(bytes(rows))) + chunk(b"IEND", b"")
    images = np.zeros((3, *SHAPE), np.uint8)
    ((index, error),) = decode_all([good, bad, good], images)
    assert index == 1
    assert str(error) == outcome(bad, SHAPE)
    np.testing.assert_array_equal(images[0], decode(good, SHAPE))
    np.testing.assert_array_equal(images[2], images[0])


def test_large_pictures_are_decoded_one_after_the_other(monkeypatch):
    monkeypatch.setattr(picture, "SHARED_PIXELS", 10)
    entered = []

    class Lock:
        def __enter__(self):
            entered.append(1)

        def __exit__(self, *error):
            return None

    monkeypatch.setattr(picture, "_large", Lock())
    decode(png(samples(GREY), GREY), SHAPE)
    decode(jpeg(photograph(5, 3)), (5, 3, 3))
    assert len(entered) == 2
    # Only the decoded pixels count: 4 of 64.
    decode(jpeg(photograph(8, 8)), (2, 2, 3), resizing=True)
    assert len(entered) == 2
