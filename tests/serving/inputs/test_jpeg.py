"""jpeg: the size is the one that decoders find, and what is left has the same pixels and nothing else."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image

from serving.inputs import jpeg

PIXELS = np.random.default_rng(3).integers(0, 256, (20, 13, 3), np.uint8)


def written(pixels=PIXELS, mode="RGB", **said) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(file, "JPEG", **said)
    return file.getvalue()


WHOLE = written()


def pixels_of(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)))


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("said", [{}, {"progressive": True}, {"restart_marker_rows": 1}, {"keep_rgb": True}])
def test_size_and_pixels_are_those_that_pillow_reads(mode, said):
    content = written(mode=mode, **said)
    width, height, stripped = jpeg.strip(content)
    assert (width, height) == (13, 20)
    np.testing.assert_array_equal(pixels_of(stripped), pixels_of(content))


@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("RGB", 3)])
@pytest.mark.parametrize("said", [{}, {"progressive": True}, {"comment": b"a comment" * 500}])
def test_header_is_read_from_the_first_bytes(mode, channels, said):
    content = written(mode=mode, **said)
    head = content[: content.index(b"\xff\xda")]
    assert jpeg.read_header(head) == jpeg.read_header(content) == (13, 20, channels)
    with pytest.raises(ValueError, match="cut short"):
        jpeg.read_header(head[:100])


def test_header_of_what_the_model_does_not_take_is_refused():
    with pytest.raises(ValueError, match="is CMYK"):
        jpeg.read_header(written(mode="CMYK"))


def test_what_is_no_pixel_is_left_out():
    exif = Image.Exif()
    exif[0x0112] = 6
    content = written(exif=exif, icc_profile=b"profile" * 100, comment=b"a comment", dpi=(300, 300))
    assert "exif" in Image.open(io.BytesIO(content)).info
    stripped = jpeg.strip(content)[2]
    assert set(Image.open(io.BytesIO(stripped)).info) == {"jfif", "jfif_version", "jfif_unit", "jfif_density", "dpi"}
    np.testing.assert_array_equal(pixels_of(stripped), pixels_of(content))


def test_further_pictures_in_the_file_are_left_out():
    file = io.BytesIO()
    first, second = Image.fromarray(PIXELS), Image.fromarray(255 - PIXELS)
    first.save(file, "MPO", save_all=True, append_images=[second])
    assert Image.open(io.BytesIO(file.getvalue())).n_frames == 2
    stripped = jpeg.strip(file.getvalue())[2]
    assert Image.open(io.BytesIO(stripped)).format == "JPEG"
    np.testing.assert_array_equal(pixels_of(stripped), pixels_of(file.getvalue()))


def test_filling_and_bytes_between_segments_are_skipped():
    filled = WHOLE[:2] + b"\xff\xff\xff" + b"\x00\x01" + WHOLE[2:]
    assert jpeg.strip(filled) == jpeg.strip(WHOLE)


def segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def frame(bits=8, height=20, width=13, channels=3) -> bytes:
    return segment(0xC0, struct.pack(">BHHB", bits, height, width, channels) + bytes(3 * channels))


SCAN = segment(0xDA, bytes(6)) + b"pixels"


@pytest.mark.parametrize(
    ("segments", "why"),
    [
        (frame(bits=12) + SCAN, "has 12 bits a channel, the model takes 8"),
        (frame(channels=4) + SCAN, "is CMYK, the model takes RGB or grey"),
        (frame(channels=2) + SCAN, "has 2 channels"),
        (frame() + frame(height=4000) + SCAN, "it has two sizes"),
        (SCAN, "it has no size"),
        (frame(), "it was cut short"),
        (segment(0xC0, b"\x08\0\1"), "its header was cut"),
        (b"\xff\xc0", "it was cut short"),
        (b"\xff\xc0\0", "it was cut short"),
        (b"\xff\xc0\0\1" + SCAN, "it was cut short"),
        (b"\xff\xc0\0\xff", "it was cut short"),
        (frame() + b"\xff\xd9", "it holds no pixels"),
        (b"\xff\xd8" + frame() + SCAN, "it holds no pixels"),
    ],
)
def test_what_no_picture_has_is_refused(segments, why):
    with pytest.raises(ValueError, match=why):
        jpeg.strip(b"\xff\xd8" + segments)


def test_every_cut_is_noticed():
    for length in range(2, len(WHOLE)):
        with pytest.raises(ValueError, match="is a damaged JPEG picture"):
            jpeg.strip(WHOLE[:length])
