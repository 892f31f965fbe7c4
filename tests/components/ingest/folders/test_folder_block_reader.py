"""folder_block_reader: pictures are decoded and resized, and damaged ones are named."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest

from serving.errors import InputError
from tests.components.ingest.folders.picture_folders import SHAPE, plan, read_rows, refusal, save
from tests.serving.batch.inputs.encoded_files import GREY, png


def test_every_picture_is_resized_into_its_row(tmp_path, monkeypatch):
    import components.ingest.folders.folder_block_reader

    monkeypatch.setattr(components.ingest.folders.folder_block_reader, "WAITING_BYTES", 100)
    root = tmp_path / "levels"
    for row in range(40):
        side = 3 + row % 3
        save(root / "a" / f"{row}.png", np.full((side, side + 1, 1), row * 5, np.uint8))
    images, _, files = read_rows(plan(root, tmp_path, resize=(8, 7)), "train")
    assert images.shape == (32, 8, 7, 1)
    for image, file in zip(images, files, strict=True):
        assert (image == int(Path(file).stem) * 5).all()


def test_every_damaged_picture_is_named(root, tmp_path):
    a = root / "train" / "class a"
    content = bytearray((a / "0.png").read_bytes())
    content[content.index(b"IDAT") + 8] ^= 1
    (a / "0.png").write_bytes(content)
    save(a / "1.jpg", shape=SHAPE)
    (a / "1.jpg").write_bytes((a / "1.jpg").read_bytes()[:-40])
    (a / "2.png").write_bytes(png(np.zeros(SHAPE, int), GREY, 16))
    (a / "3.png").write_bytes(b"")
    (a / "4.png").write_text("<html>")
    message = refusal(root, tmp_path)
    assert message.startswith(f"{root} holds pictures that cannot be used: ")
    for why in (
        "train/class a/0.png is a damaged PNG picture (the checksum of b'IDAT' is wrong)",
        "train/class a/1.jpg is a damaged JPEG picture (it is incomplete)",
        "train/class a/2.png has 16 bits per channel, the model takes 8: save it with 8",
        "train/class a/3.png is not a PNG or JPEG picture",
        "train/class a/4.png is not a PNG or JPEG picture",
    ):
        assert why in message
    assert message.count("train/") == 5


def test_many_damaged_pictures_are_counted(flat, tmp_path):
    for file in flat.rglob("*.png"):
        file.write_bytes(file.read_bytes()[:-3])
    message = refusal(flat, tmp_path, train_split="train[:23]", test_split="train[23:]")
    assert message.count(".png is a damaged") == 20
    assert message.endswith("; and 3 more")


def test_picture_that_changes_after_planning_is_refused(flat, tmp_path):
    planned = plan(flat, tmp_path)
    save(flat / planned.readers[0].pictures[3].path, shape=(2, 2, 1))
    with pytest.raises(InputError, match="is 2×2 pixels, the model takes 6×4"):
        planned.readers[0].read()
    (flat / planned.readers[0].pictures[3].path).unlink()
    with pytest.raises(InputError, match="No such file"):
        planned.readers[0].read()


def test_picture_with_a_huge_size_is_not_decoded(flat, tmp_path):
    content = png(np.zeros((1, 1, 1), int), GREY)
    wide = content[:16] + (1 << 20).to_bytes(4, "big") * 2 + content[24:29]
    (flat / "a" / "0.png").write_bytes(wide + zlib.crc32(wide[12:]).to_bytes(4, "big") + content[33:])
    assert "a/0.png is 1048576×1048576 pixels, which is too large" in refusal(flat, tmp_path, resize=(4, 4))
