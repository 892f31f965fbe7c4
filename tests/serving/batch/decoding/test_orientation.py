"""orientation: pictures are turned as Pillow turns them, in every format and at every scale, and headers agree."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from serving.batch.decoding.many_pictures import decode_all
from serving.batch.decoding.orientation import read_orientation, turn
from serving.batch.decoding.picture import decode, read_size
from serving.batch.folders.picture_header import parse_header

ORIENTATIONS = range(1, 9)
PIXELS = np.random.default_rng(3).integers(0, 256, (24, 40, 3), np.uint8)


def saved(orientation, kind, pixels=PIXELS, **options):
    exif = Image.Exif()
    exif[0x0112] = orientation
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, kind, exif=exif, **options)
    return out.getvalue()


def upright(content):
    return ImageOps.exif_transpose(Image.open(io.BytesIO(content)))


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize(
    ("kind", "options"), [("JPEG", {"quality": 95}), ("WEBP", {"lossless": True}), ("TIFF", {"compression": "raw"})]
)
def test_pictures_are_upright(orientation, kind, options):
    content = saved(orientation, kind, **options)
    expected = np.asarray(upright(content))
    assert read_size(content) == (expected.shape[1], expected.shape[0])
    header = parse_header(content)
    assert (header.height, header.width) == expected.shape[:2]
    np.testing.assert_array_equal(decode(content, expected.shape), expected)
    out = np.zeros((2, *expected.shape), np.uint8)
    assert decode_all([content, content], out) == []
    np.testing.assert_array_equal(out[1], expected)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_pictures_of_another_size_are_turned_and_resized(orientation):
    content = saved(orientation, "JPEG", np.kron(PIXELS, np.ones((4, 4, 1), np.uint8)), quality=95)
    resized = decode(content, (12, 10, 3), resizing=True)
    # JPEG is decoded at an eighth of its size before it is turned.
    scaled = Image.open(io.BytesIO(content))
    scaled.draft(None, (10, 12) if orientation < 5 else (12, 10))
    expected = turn(np.asarray(scaled), orientation)
    exact = Image.fromarray(expected).resize((10, 12), Image.Resampling.BILINEAR, reducing_gap=1.0)
    np.testing.assert_array_equal(resized, np.asarray(exact))


def test_orientation_of_a_png_is_not_read():
    content = saved(6, "PNG")
    assert read_size(content) == (40, 24)
    np.testing.assert_array_equal(decode(content, PIXELS.shape), PIXELS)


@pytest.mark.parametrize("orientation", [0, 9, 300])
def test_impossible_orientations_are_upright(orientation):
    np.testing.assert_array_equal(decode(saved(orientation, "WEBP", lossless=True), PIXELS.shape), PIXELS)


@given(st.binary(max_size=60))
def test_any_bytes_have_an_orientation(data):
    assert read_orientation(data) in ORIENTATIONS
    assert read_orientation(b"II*\0" + data) in ORIENTATIONS
    assert read_orientation(b"MM\0*\0\0\0\x08" + data) in ORIENTATIONS


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_orientation_is_that_of_pillows_exif(orientation):
    exif = Image.Exif()
    exif[0x010F], exif[0x0112], exif[0x0131] = "maker", orientation, "software"
    assert read_orientation(exif.tobytes()[6:]) == orientation
