"""jpeg: the size is that of the decoders, and the stripped file has the same pixels without metadata."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image

from serving.batch.decoding import jpeg

PIXELS = np.random.default_rng(3).integers(0, 256, (20, 13, 3), np.uint8)


def written(pixels=PIXELS, mode="RGB", **options) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(file, "JPEG", **options)
    return file.getvalue()


WHOLE = written()


def pixels_of(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)))


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 1}, {"keep_rgb": True}])
def test_size_and_pixels_equal_those_of_pillow(mode, options):
    content = written(mode=mode, **options)
    file = jpeg.read(content)
    assert (file.width, file.height, file.channels) == (13, 20, 1 if mode == "L" else 3)
    np.testing.assert_array_equal(pixels_of(file.stripped()), pixels_of(content))


@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("RGB", 3)])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"comment": b"a comment" * 500}])
def test_header_is_read_from_the_first_bytes(mode, channels, options):
    content = written(mode=mode, **options)
    head = content[: content.index(b"\xff\xda")]
    assert jpeg.read_header(head) == jpeg.read_header(content) == (13, 20, channels, 1)
    with pytest.raises(ValueError, match="it is incomplete"):
        jpeg.read_header(head[:100])


def test_header_of_a_cmyk_picture_is_refused():
    with pytest.raises(ValueError, match="is CMYK"):
        jpeg.read_header(written(mode="CMYK"))


def test_metadata_is_removed():
    exif = Image.Exif()
    exif[0x0112] = 6
    content = written(exif=exif, icc_profile=b"profile" * 100, comment=b"a comment", dpi=(300, 300))
    assert "exif" in Image.open(io.BytesIO(content)).info
    stripped = jpeg.read(content).stripped()
    assert set(Image.open(io.BytesIO(stripped)).info) == {"jfif", "jfif_version", "jfif_unit", "jfif_density", "dpi"}
    np.testing.assert_array_equal(pixels_of(stripped), pixels_of(content))


def test_further_pictures_in_the_file_are_removed():
    file = io.BytesIO()
    first, second = Image.fromarray(PIXELS), Image.fromarray(255 - PIXELS)
    first.save(file, "MPO", save_all=True, append_images=[second])
    assert Image.open(io.BytesIO(file.getvalue())).n_frames == 2
    stripped = jpeg.read(file.getvalue()).stripped()
    assert Image.open(io.BytesIO(stripped)).format == "JPEG"
    np.testing.assert_array_equal(pixels_of(stripped), pixels_of(file.getvalue()))


def test_fill_bytes_and_bytes_between_segments_are_skipped():
    filled = WHOLE[:2] + b"\xff\xff\xff" + b"\x00\x01" + WHOLE[2:]
    assert jpeg.read(filled).stripped() == jpeg.read(WHOLE).stripped()


def segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def frame(bits=8, height=20, width=13, channels=3) -> bytes:
    return segment(0xC0, struct.pack(">BHHB", bits, height, width, channels) + bytes(3 * channels))


SCAN = segment(0xDA, bytes(6)) + b"pixels"


@pytest.mark.parametrize(
    ("segments", "reason"),
    [
        (frame(bits=12) + SCAN, "has 12 bits per channel, the model takes 8"),
        (frame(channels=4) + SCAN, "is CMYK, the model takes RGB or grey"),
        (frame(channels=2) + SCAN, "has 2 channels"),
        (frame() + frame(height=4000) + SCAN, "it has two sizes"),
        (SCAN, "it has no size"),
        (frame(), "it is incomplete"),
        (segment(0xC0, b"\x08\0\1"), "its header is incomplete"),
        (b"\xff\xc0", "it is incomplete"),
        (b"\xff\xc0\0", "it is incomplete"),
        (b"\xff\xc0\0\1" + SCAN, "it is incomplete"),
        (b"\xff\xc0\0\xff", "it is incomplete"),
        (frame() + b"\xff\xd9", "it holds no pixels"),
        (b"\xff\xd8" + frame() + SCAN, "it holds no pixels"),
    ],
)
def test_invalid_structure_is_refused(segments, reason):
    with pytest.raises(ValueError, match=reason):
        jpeg.read(b"\xff\xd8" + segments)


def test_every_truncation_is_detected():
    for length in range(2, len(WHOLE)):
        with pytest.raises(ValueError, match="is a damaged JPEG picture"):
            jpeg.read(WHOLE[:length])
