"""png: every checksum is held, and what is left has the same pixels and nothing else."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from serving.inputs import png
from tests.serving.inputs.files_by_hand import GREY, RGB, chunk
from tests.serving.inputs.files_by_hand import png as by_hand
from tests.serving.tiny_bundle import random_images

PIXELS = random_images(1, (4, 3, 3))[0]
WHOLE = by_hand(PIXELS, RGB)


def written(**said) -> bytes:
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, "PNG", **said)
    return file.getvalue()


def test_size_and_pixels_are_those_that_pillow_reads():
    width, height, content = png.strip(written())
    assert (width, height) == (3, 4)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(content))), PIXELS)


def test_what_is_no_pixel_is_left_out():
    texts = PngImagePlugin.PngInfo()
    texts.add_text("note", "long " * 1000, zip=True)
    content = png.strip(written(pnginfo=texts, icc_profile=b"profile" * 100, dpi=(300, 300), exif=b"Exif\0\0MM"))[2]
    assert Image.open(io.BytesIO(content)).info == {}
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(content))), PIXELS)


def test_every_byte_that_changes_is_noticed():
    for place in range(8, len(WHOLE)):
        damaged = bytearray(WHOLE)
        damaged[place] ^= 0x10
        with pytest.raises(ValueError, match="is a damaged PNG picture"):
            png.strip(bytes(damaged))


def test_every_cut_is_noticed_and_what_follows_the_end_is_not():
    for length in range(8, len(WHOLE)):
        with pytest.raises(ValueError, match=r"is a damaged PNG picture \(it was cut short"):
            png.strip(WHOLE[:length])
    assert png.strip(WHOLE + b"more") == png.strip(WHOLE)


def header(width=3, height=4, depth=8, colour=RGB, compression=0, filters=0, interlaced=0):
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, compression, filters, interlaced))


IDAT, IEND, PLTE, TRNS, TEXT = (chunk(kind, b"123") for kind in (b"IDAT", b"IEND", b"PLTE", b"tRNS", b"tEXt"))


@pytest.mark.parametrize(
    ("chunks", "why"),
    [
        ([header(), chunk(b"acTL", bytes(8)), IDAT, IEND], "is animated: save one of its pictures"),
        ([header(), chunk(b"fcTL", bytes(26)), IDAT, IEND], "is animated: save one of its pictures"),
        ([header(), IDAT, chunk(b"fdAT", bytes(8)), IEND], "is animated: save one of its pictures"),
        ([header(depth=16), IDAT, IEND], "has 16 bits a channel, the model takes 8"),
        ([header(compression=1), IDAT, IEND], "its header says what no picture is"),
        ([header(filters=1), IDAT, IEND], "its header says what no picture is"),
        ([header(interlaced=2), IDAT, IEND], "its header says what no picture is"),
        ([header(depth=0), IDAT, IEND], "its header says what no picture is"),
        ([header(depth=4), IDAT, IEND], "its header says what no picture is"),
        ([header(depth=3, colour=GREY), TRNS, IDAT, IEND], "its header says what no picture is"),
        ([header(colour=5), IDAT, IEND], "its header says what no picture is"),
        ([chunk(b"IHDR", bytes(12)), IDAT, IEND], "its header has another length"),
        ([IDAT, header(), IEND], "no valid order"),
        ([header(), header(), IDAT, IEND], "no valid order"),
        ([header(), IEND], "no valid order"),
        ([IEND], "no valid order"),
        ([header(), IDAT, TEXT, IDAT, IEND], "no valid order"),
        ([header(), IDAT, TRNS, IEND], "no valid order"),
        ([header(), TRNS, PLTE, IDAT, IEND], "no valid order"),
        ([header(), PLTE, PLTE, IDAT, IEND], "no valid order"),
        ([header(), TRNS, TRNS, IDAT, IEND], "no valid order"),
        ([header(), IDAT, PLTE, IEND], "no valid order"),
        ([header(), chunk(b"NEWS", b""), IDAT, IEND], "no valid order"),
        ([header(), chunk(b"t xt", b""), IDAT, IEND], "no valid order"),
        ([header(), chunk(b"\x00\xff \n", b""), IDAT, IEND], "no valid order"),
    ],
)
def test_what_no_picture_has_is_refused(chunks, why):
    with pytest.raises(ValueError, match=why):
        png.strip(png.MAGIC + b"".join(chunks))


@pytest.mark.parametrize(
    "chunks",
    [
        [header(), TEXT, PLTE, TEXT, TRNS, TEXT, TEXT, IDAT, IDAT, IDAT, TEXT, IEND],
        [header(), TEXT, TRNS, IDAT, IEND],
        [header(), PLTE, IDAT, TEXT, IEND],
    ],
)
def test_chunks_that_may_be_there_are_kept_or_left_out(chunks):
    kept = [chunk for chunk in chunks if chunk is not TEXT]
    assert png.strip(png.MAGIC + b"".join(chunks)) == (3, 4, png.MAGIC + b"".join(kept))


@pytest.mark.parametrize(("depth", "expected"), [(1, 255), (2, 85), (4, 17), (8, 1)])
def test_transparent_grey_is_scaled_as_the_pixels_are(depth, expected):
    samples = np.zeros((2, 2, 1), np.uint8)
    content = png.strip(by_hand(samples, GREY, depth, before=chunk(b"tRNS", b"\0\x01")))[2]
    assert chunk(b"tRNS", struct.pack(">H", expected)) in content


def test_length_beyond_the_file_takes_no_memory():
    claimed = png.MAGIC + struct.pack(">I", 2**32 - 1) + b"IHDR" + bytes(100)
    with pytest.raises(ValueError, match="cut short"):
        png.strip(claimed)
    assert zlib.crc32(b"IEND") == int.from_bytes(WHOLE[-4:], "big")
