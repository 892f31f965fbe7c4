"""picture_header: size and colours are read from the first bytes."""

from __future__ import annotations

import numpy as np
import pytest

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
