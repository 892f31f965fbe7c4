"""picture_header: size and colours are read from the first bytes."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from serving.batch.folders import picture_header
from serving.batch.folders.picture_header import PictureHeader, read_header
from tests.components.ingest.folders.picture_folders import SHAPE, plan, read_rows, save
from tests.serving.batch.inputs.encoded_files import GREY, PALETTE, RGB, chunk, palette, png


@pytest.mark.parametrize(
    ("content", "channels"),
    [
        (png(np.zeros(SHAPE, int), GREY, 1), 1),
        (png(np.zeros((4, 6, 3), int), RGB), 3),
        (png(np.ones(SHAPE, int), PALETTE, 8, palette(np.array([[1, 1, 1], [9, 9, 9]]))), 1),
        (png(np.ones(SHAPE, int), PALETTE, 8, palette(np.array([[1, 1, 1], [9, 9, 8]]))), 3),
        # Further on than a first look goes.
        (png(np.ones(SHAPE, int), PALETTE, 8, chunk(b"tEXt", b"x" * 9000) + palette(np.array([[1, 2, 3]] * 2))), 3),
    ],
    ids=["grey", "colour", "grey palette", "palette", "late palette"],
)
def test_channels_are_those_of_the_header(tmp_path, content, channels):
    for name in "abcdefgh":
        (tmp_path / "set" / "class").mkdir(parents=True, exist_ok=True)
        (tmp_path / "set" / "class" / f"{name}.png").write_bytes(content)
    planned = plan(tmp_path / "set", tmp_path)
    assert planned.image_shape == (4, 6, channels)
    assert read_rows(planned, "train")[0].shape == (6, 4, 6, channels)


def test_jpeg_with_long_metadata_is_read(tmp_path):
    root = tmp_path / "set"
    for row in range(5):
        save(root / "a" / f"{row}.jpg", shape=(4, 6, 3))
        content = (root / "a" / f"{row}.jpg").read_bytes()
        notes = b"\xff\xe1" + (60_002).to_bytes(2, "big") + b"\0" * 60_000
        (root / "a" / f"{row}.jpg").write_bytes(content[:2] + notes + content[2:])
    assert plan(root, tmp_path).image_shape == (4, 6, 3)


@pytest.mark.parametrize("kind", ["TIFF", "WebP"])
def test_header_that_needs_the_whole_file_is_parsed_a_few_times(tmp_path, monkeypatch, kind):
    noise = np.random.default_rng(0).integers(0, 256, (900, 800, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "large", kind, **({"lossless": True, "method": 0} if kind == "WebP" else {}))
    content = (tmp_path / "large").read_bytes()
    if kind == "TIFF":
        # The directory behind the pixels, as many programs write it.
        content = _moved_directory(content)
        (tmp_path / "large").write_bytes(content)
    parsed = []
    parse = picture_header.parse_header
    monkeypatch.setattr(picture_header, "parse_header", lambda head: (parsed.append(len(head)), parse(head))[1])
    assert read_header(str(tmp_path / "large")) == PictureHeader(900, 800, True)
    assert parsed[-1] == len(content) > 1 << 20
    assert sum(parsed) < 3 * len(content)


def _moved_directory(content):
    """A little-endian TIFF file with its directory at the end."""
    assert content[:4] == b"II*\0"
    start = int.from_bytes(content[4:8], "little")
    entries = int.from_bytes(content[start : start + 2], "little")
    directory = content[start : start + 2 + 12 * entries + 4]
    return content[:4] + len(content).to_bytes(4, "little") + content[8:] + directory
