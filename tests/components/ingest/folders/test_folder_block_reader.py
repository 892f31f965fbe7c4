"""folder_block_reader: pictures are decoded and resized, and damaged ones are named."""

from __future__ import annotations

import os
import subprocess
import sys
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from components.ingest.folders import folder_block_reader, picture_pool
from serving.errors import InputError
from tests.components.ingest.folders.picture_folders import SHAPE, plan, read_rows, refusal, save
from tests.conftest import ROOT
from tests.serving.batch.inputs.encoded_files import GREY, png


def test_every_picture_is_resized_into_its_row(tmp_path, monkeypatch):
    monkeypatch.setattr(folder_block_reader, "PART_BYTES", 100)
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
    assert message.startswith(f"{root}: 5 of 36 images cannot be used: 2 damaged (train/class a/0.png is a damaged PNG")
    assert "--ingest.skip-bad" not in message
    for why in (
        "train/class a/0.png is a damaged PNG picture (the checksum of b'IDAT' is wrong)",
        "train/class a/1.jpg is a damaged JPEG picture (it is incomplete)",
        "1 with 16 bits per channel (train/class a/2.png has 16 bits per channel, the model takes 8: divide its",
        "2 that are not pictures (train/class a/3.png is not a picture, but",
        "train/class a/4.png is not a picture, but",
    ):
        assert why in message
    assert message.count("train/") == 5


def test_many_damaged_pictures_are_counted(flat, tmp_path):
    for file in flat.rglob("*.png"):
        file.write_bytes(file.read_bytes()[:-3])
    message = refusal(flat, tmp_path, block_rows=4)
    assert message.startswith(f"{flat}: 30 of 30 images cannot be used: 30 damaged (a/0.png is a damaged PNG picture")
    assert message.count(".png is a damaged") == 3
    assert "; and 27 more: repair or remove it)" in message
    assert message.endswith("; no image of train and test is left")


def test_picture_that_changes_after_planning_is_refused(flat, tmp_path):
    planned = plan(flat, tmp_path)
    save(flat / planned.readers[0].paths[3], shape=(2, 2, 1))
    with pytest.raises(InputError, match="is 2×2 pixels, the most frequent size is 6×4"):
        planned.readers[0].read()
    (flat / planned.readers[0].paths[3]).unlink()
    with pytest.raises(InputError, match="No such file"):
        planned.readers[0].read()


def test_picture_with_a_huge_size_is_not_decoded(flat, tmp_path):
    content = png(np.zeros((1, 1, 1), int), GREY)
    wide = content[:16] + (1 << 20).to_bytes(4, "big") * 2 + content[24:29]
    (flat / "a" / "0.png").write_bytes(wide + zlib.crc32(wide[12:]).to_bytes(4, "big") + content[33:])
    assert "a/0.png is 1048576×1048576 pixels, which is too large" in refusal(flat, tmp_path, resize=(4, 4))


def test_threads_and_processes_give_the_same_block(tmp_path, monkeypatch):
    root = tmp_path / "mixed"
    for row in range(60):
        save(root / "a" / f"{row}.{'png' if row % 3 else 'jpg'}", shape=(12, 9, 3))
    (reader, _) = plan(root, tmp_path).readers
    monkeypatch.setattr(folder_block_reader, "PART_ROWS", 5)
    monkeypatch.setattr(picture_pool, "usable_processors", lambda: 1)
    images, labels = replace(reader, small=False).read()
    monkeypatch.setattr(picture_pool, "usable_processors", lambda: 4)
    monkeypatch.setattr(picture_pool, "processes_for", lambda files: 3)
    for small, start in ((False, False), (True, False), (True, True)):
        if start:
            picture_pool.start_processes(60)
        try:
            again = replace(reader, small=small).read()
        finally:
            picture_pool.stop_processes()
        np.testing.assert_array_equal(again[0], images)
        np.testing.assert_array_equal(again[1], labels)


def test_bad_rows_come_in_the_order_of_the_rows(tmp_path, monkeypatch):
    root = tmp_path / "damaged"
    for row in range(12):
        save(root / "a" / f"{row}.png")
    (reader, _) = plan(root, tmp_path).readers
    monkeypatch.setattr(folder_block_reader, "PART_ROWS", 2)
    damaged = [reader.paths[row] for row in (1, 4, 5, 8)]
    (root / damaged[0]).unlink()
    for path in damaged[1:]:
        (root / path).write_bytes(b"")
    bad = [row for part in replace(reader, small=False).read_parts() for row in part.bad]
    assert [(row.file, row.row) for row in bad] == list(zip(damaged, (1, 4, 5, 8), strict=True))
    assert [row.kind for row in bad] == ["unreadable", *["that are not pictures"] * 3]


def test_folder_is_read_without_tensorflow(flat, tmp_path):
    program = f"""
import sys
from pathlib import Path
from components import ingest
from components.beam import BeamOptions
from components.run_context import RunContext
ingest.run(ingest.Params(dataset="folder:x"), RunContext(source=Path({str(flat)!r})), BeamOptions(), Path("."))
print([name for name in ("tensorflow", "tensorflow_datasets", "keras") if name in sys.modules])
"""
    (tmp_path / "out").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path / "out",
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"
