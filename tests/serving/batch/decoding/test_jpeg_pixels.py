"""jpeg_pixels: the pixels are those of Pillow's decoder, at every scale."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from serving.batch.decoding.jpeg_pixels import decode_quickly, scale_for
from tests.serving.batch.inputs.picture_files import jpeg

KINDS = [
    {},
    {"subsampling": 0},
    {"subsampling": 1},
    {"progressive": True},
    {"keep_rgb": True},
    {"restart_marker_rows": 1},
]


def by_pillow(content, size, target):
    picture = Image.open(io.BytesIO(content))
    assert picture.size == size
    picture.draft(None, target)
    return np.asarray(picture).reshape(picture.height, picture.width, -1)


@settings(deadline=None)
@given(
    st.tuples(st.integers(1, 70), st.integers(1, 70)),
    st.tuples(st.integers(1, 30), st.integers(1, 30)),
    st.sampled_from(KINDS),
    st.booleans(),
)
def test_pixels_equal_those_of_pillow_at_the_scale_that_pillow_chooses(size, target, kind, grey):
    drawn = np.random.default_rng(sum(size)).integers(0, 256, (size[1], size[0], 3), np.uint8)
    options = {name: value for name, value in kind.items() if not (grey and name == "keep_rgb")}
    content = jpeg(drawn, "L" if grey else None, **options)
    scale = scale_for(size, target)
    pixels = decode_quickly(content, (*size[::-1], 1 if grey else 3), scale, None)
    if pixels is None:
        # Only the smallest pictures are left to Pillow.
        assert max(size) < 8
    else:
        np.testing.assert_array_equal(pixels, by_pillow(content, size, target))


@pytest.mark.parametrize(
    ("size", "target", "scale"),
    [((256, 256), (128, 128), 2), ((256, 256), (129, 128), 1), ((4000, 3000), (224, 224), 8), ((9, 9), (10, 10), 1)],
)
def test_scale_never_goes_below_the_target(size, target, scale):
    assert scale_for(size, target) == scale


def test_pixels_are_written_into_the_given_buffer():
    content = jpeg(np.full((16, 24, 3), 200, np.uint8), quality=95)
    out = np.zeros((16, 24, 3), np.uint8)
    assert decode_quickly(content, (16, 24, 3), 1, out) is out
    assert (out == 200).all()
    other = np.zeros((9, 9, 3), np.uint8)
    assert decode_quickly(content, (16, 24, 3), 1, other) is not other


def test_file_with_any_fault_is_left_to_pillow():
    content = jpeg(np.zeros((40, 40, 3), np.uint8))
    assert decode_quickly(content[:2] + b"\0\1" + content[2:], (40, 40, 3), 1, None) is None
    assert decode_quickly(content[:200], (40, 40, 3), 1, None) is None
