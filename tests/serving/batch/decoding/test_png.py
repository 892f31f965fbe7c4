"""png: every checksum is verified, and the stripped file has the same pixels without metadata."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from serving.batch.decoding import png
from tests.serving.batch.inputs.encoded_files import GREY, RGB, chunk
from tests.serving.batch.inputs.encoded_files import png as encoded_png
from tests.serving.tiny_bundle import random_images

PIXELS = random_images(1, (4, 3, 3))[0]
WHOLE = encoded_png(PIXELS, RGB)


def written(**options) -> bytes:
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, "PNG", **options)
    return file.getvalue()


def test_size_and_pixels_equal_those_of_pillow():
    file = png.read(written())
    width, height, content = file.width, file.height, file.stripped()
    assert (width, height) == (3, 4)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(content))), PIXELS)


def test_metadata_is_removed():
    texts = PngImagePlugin.PngInfo()
    texts.add_text("note", "long " * 1000, zip=True)
    whole = written(pnginfo=texts, icc_profile=b"profile" * 100, dpi=(300, 300), exif=b"Exif\0\0MM")
    content = png.read(whole).stripped()
    assert Image.open(io.BytesIO(content)).info == {}
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(content))), PIXELS)


def test_every_changed_byte_is_detected():
    for place in range(8, len(WHOLE)):
        damaged = bytearray(WHOLE)
        damaged[place] ^= 0x10
        with pytest.raises(ValueError, match="is a damaged PNG picture"):
            png.read(bytes(damaged))


def test_every_truncation_is_detected_and_bytes_after_the_end_are_ignored():
    for length in range(8, len(WHOLE)):
        with pytest.raises(ValueError, match=r"is a damaged PNG picture \(it is incomplete"):
            png.read(WHOLE[:length])
    assert png.read(WHOLE + b"more") == png.read(WHOLE)


def header(width=3, height=4, depth=8, colour=RGB, compression=0, filters=0, interlaced=0):
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, compression, filters, interlaced))


IDAT, IEND, PLTE, TRNS, TEXT = (chunk(kind, b"123") for kind in (b"IDAT", b"IEND", b"PLTE", b"tRNS", b"tEXt"))


@pytest.mark.parametrize(
    ("chunks", "reason"),
    [
        ([header(), chunk(b"acTL", bytes(8)), IDAT, IEND], "is animated: save one of its frames"),
        ([header(), chunk(b"fcTL", bytes(26)), IDAT, IEND], "is animated: save one of its frames"),
        ([header(), IDAT, chunk(b"fdAT", bytes(8)), IEND], "is animated: save one of its frames"),
        ([header(depth=16), IDAT, IEND], "has 16 bits per channel, the model takes 8"),
        ([header(compression=1), IDAT, IEND], "its header is not valid"),
        ([header(filters=1), IDAT, IEND], "its header is not valid"),
        ([header(interlaced=2), IDAT, IEND], "its header is not valid"),
        ([header(depth=0), IDAT, IEND], "its header is not valid"),
        ([header(depth=4), IDAT, IEND], "its header is not valid"),
        ([header(depth=3, colour=GREY), TRNS, IDAT, IEND], "its header is not valid"),
        ([header(colour=5), IDAT, IEND], "its header is not valid"),
        ([chunk(b"IHDR", bytes(12)), IDAT, IEND], "its header has another length"),
        ([IDAT, header(), IEND], "not in a valid order"),
        ([header(), header(), IDAT, IEND], "not in a valid order"),
        ([header(), IEND], "not in a valid order"),
        ([IEND], "not in a valid order"),
        ([header(), IDAT, TEXT, IDAT, IEND], "not in a valid order"),
        ([header(), IDAT, TRNS, IEND], "not in a valid order"),
        ([header(), TRNS, PLTE, IDAT, IEND], "not in a valid order"),
        ([header(), PLTE, PLTE, IDAT, IEND], "not in a valid order"),
        ([header(), TRNS, TRNS, IDAT, IEND], "not in a valid order"),
        ([header(), IDAT, PLTE, IEND], "not in a valid order"),
        ([header(), chunk(b"NEWS", b""), IDAT, IEND], "not in a valid order"),
        ([header(), chunk(b"t xt", b""), IDAT, IEND], "not in a valid order"),
        ([header(), chunk(b"\x00\xff \n", b""), IDAT, IEND], "not in a valid order"),
    ],
)
def test_invalid_structure_is_refused(chunks, reason):
    with pytest.raises(ValueError, match=reason):
        png.read(png.MAGIC + b"".join(chunks))


@pytest.mark.parametrize(
    "chunks",
    [
        [header(), TEXT, PLTE, TEXT, TRNS, TEXT, TEXT, IDAT, IDAT, IDAT, TEXT, IEND],
        [header(), TEXT, TRNS, IDAT, IEND],
        [header(), PLTE, IDAT, TEXT, IEND],
    ],
)
def test_optional_chunks_are_kept_or_removed(chunks):
    kept = [chunk for chunk in chunks if chunk is not TEXT]
    file = png.read(png.MAGIC + b"".join(chunks))
    assert (file.width, file.height) == (3, 4)
    assert file.stripped() == png.MAGIC + b"".join(kept)


@pytest.mark.parametrize(("depth", "expected"), [(1, 255), (2, 85), (4, 17), (8, 1)])
def test_transparent_grey_is_scaled_as_the_pixels_are(depth, expected):
    samples = np.zeros((2, 2, 1), np.uint8)
    content = png.read(encoded_png(samples, GREY, depth, before=chunk(b"tRNS", b"\0\x01"))).stripped()
    assert chunk(b"tRNS", struct.pack(">H", expected)) in content


def test_length_beyond_the_file_allocates_no_memory():
    claimed = png.MAGIC + struct.pack(">I", 2**32 - 1) + b"IHDR" + bytes(100)
    with pytest.raises(ValueError, match="it is incomplete"):
        png.read(claimed)
    assert zlib.crc32(b"IEND") == int.from_bytes(WHOLE[-4:], "big")
