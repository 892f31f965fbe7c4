"""sixteen_bits: the advice in the message makes a file that is read, with the pixels divided by 257."""

from __future__ import annotations

import re

import numpy
import pytest
from PIL import Image

from serving.batch.decoding.picture import decode
from tests.serving.batch.inputs.encoded_files import GREY, GREY_ALPHA, RGB, RGB_ALPHA, png

SHAPES = {GREY: (6, 5, 1), RGB: (6, 5, 3), GREY_ALPHA: (6, 5, 2), RGB_ALPHA: (6, 5, 4)}


def drawn(shape):
    return numpy.random.default_rng(2).integers(0, 256, shape)


def follow(content, folder, shape):
    """Runs the program in the message about a file -> the pixels of the file that it writes."""
    (folder / "old").write_bytes(content)
    with pytest.raises(ValueError, match="has 16 bits per channel, the model takes 8: ") as caught:
        decode(content, shape)
    program = re.search(r"Image\..*\.save\(NEW\)", str(caught.value))[0]
    exec(program, {"Image": Image, "numpy": numpy, "FILE": folder / "old", "NEW": folder / "new.png"})
    return decode((folder / "new.png").read_bytes(), shape)


@pytest.mark.parametrize("colour", SHAPES)
def test_the_advice_for_png_keeps_the_upper_bits(tmp_path, colour):
    pixels = drawn(SHAPES[colour])
    numpy.testing.assert_array_equal(follow(png(pixels * 257, colour, 16), tmp_path, SHAPES[colour]), pixels)


@pytest.mark.parametrize("kind", ["TIFF", "PPM"])
def test_the_advice_for_other_formats_keeps_the_upper_bits(tmp_path, kind):
    pixels = drawn((6, 5))
    Image.fromarray((pixels * 257).astype(numpy.uint16)).save(tmp_path / "made", kind)
    numpy.testing.assert_array_equal(follow((tmp_path / "made").read_bytes(), tmp_path, (6, 5, 1))[..., 0], pixels)
