"""bad_rows: all bad pictures of a set are refused at once, or left out up to a bound, and each is listed once."""

from __future__ import annotations

import csv
import errno
import os
from pathlib import Path

import numpy as np
import pytest

from components.beam import BeamOptions
from components.run_context import RunContext
from serving.errors import InputError
from tests.components.ingest.folders.picture_folders import plan, refusal, run, save
from tests.failing_files import fail_to_open
from tests.serving.batch.inputs.encoded_files import GREY, png

# Beam's own runner in this process, with all of its serialisation.
RUNNER = BeamOptions(("--runner=FnApiRunner",))


@pytest.fixture
def root(tmp_path):
    """600 JPEG pictures in three classes, 30 of them damaged, one with 16 bits, one transparent, one larger."""
    root = tmp_path / "photographs"
    for row in range(600):
        save(root / "abc"[row % 3] / f"{row:03}.jpg", np.full((4, 6, 1), row % 256, np.uint8))
    for row in range(0, 600, 20):
        file = root / "abc"[row % 3] / f"{row:03}.jpg"
        file.write_bytes(file.read_bytes()[:-30])
    (root / "a" / "deep.png").write_bytes(png(np.zeros((4, 6, 1), int), GREY, 16))
    save(root / "b" / "clear.png", np.full((4, 6, 2), 9, np.uint8))
    save(root / "c" / "large.png", shape=(9, 9, 1))
    return root


def bad_names(root):
    damaged = [f"{'abc'[row % 3]}/{row:03}.jpg" for row in range(0, 600, 20)]
    return sorted([*damaged, "a/deep.png", "b/clear.png", "c/large.png"])


def listed(file):
    with file.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


@pytest.mark.parametrize("beam", [BeamOptions(), RUNNER], ids=["here", "Beam"])
def test_every_bad_picture_of_every_block_is_refused_and_listed(root, tmp_path, beam):
    file = tmp_path / "runs" / "logs" / "0007-refused.csv"
    context = RunContext(source=root, refused=file)
    with pytest.raises(InputError) as caught:
        run(root, tmp_path / "out", context, beam, block_rows=7)
    message = str(caught.value)
    assert message.startswith(f"{root}: 33 of 603 images cannot be used: 30 damaged (a/000.jpg is a damaged JPEG")
    assert "; and 27 more: repair or remove it), 1 of another size (c/large.png is 9×9 pixels, " in message
    assert "--ingest.resize 4 6), 1 transparent (b/clear.png has transparent pixels: save it" in message
    assert "--ingest.background white), 1 with 16 bits per channel (a/deep.png has " in message
    assert message.endswith(f"; {file} lists all; to leave them out, give --ingest.skip-bad 33")
    rows = listed(file)
    assert [row["file"] for row in rows] == bad_names(root)
    assert {row["kind"] for row in rows} == {"damaged", "of another size", "transparent", "with 16 bits per channel"}
    assert rows[0] == {
        "file": "a/000.jpg",
        "record": "",
        "kind": "damaged",
        "reason": "is a damaged JPEG picture (it is incomplete): repair or remove it",
    }


def test_refusal_is_the_same_sentence_for_all_sizes_of_blocks(root, tmp_path):
    assert len({refusal(root, tmp_path, block_rows=rows) for rows in (1, 40, 1000)}) == 1


@pytest.mark.parametrize("beam", [BeamOptions(), RUNNER], ids=["here", "Beam"])
def test_bad_pictures_up_to_the_bound_are_left_out_and_listed(root, tmp_path, rows_of, beam):
    examples = run(root, tmp_path / "out", beam=beam, skip_bad=33, block_rows=50)
    kept = {split: rows_of(examples, split) for split in ("train", "test")}
    assert sum(len(images) for images, _ in kept.values()) == examples.rows("train") + examples.rows("test") == 570
    for split, (images, labels) in kept.items():
        names = examples.names_at(split, np.arange(len(labels)))
        assert not set(names) & set(bad_names(root))
        for image, label, name in zip(images, labels.tolist(), names, strict=True):
            assert image[0, 0, 0] == int(Path(name).stem) % 256
            assert examples.class_names[label] == name[0]
    assert [row["file"] for row in listed(examples.path / "skipped.csv")] == bad_names(root)
    assert examples.skipped == {"damaged": 30, "of another size": 1, "transparent": 1, "with 16 bits per channel": 1}
    assert (
        "; skipped, because they cannot be used: 30 damaged, 1 of another size, 1 transparent, 1 with 16 bits per "
        f"channel ({examples.path}/skipped.csv)" in examples.summary()
    )


def test_beam_and_processes_write_the_same_bytes(root, tmp_path, contents):
    one = run(root, tmp_path / "one", skip_bad=40, block_rows=30)
    other = run(root, tmp_path / "other", beam=RUNNER, skip_bad=40, block_rows=30)
    assert contents(one.path) == contents(other.path)


def test_one_more_than_the_bound_is_refused(root, tmp_path):
    assert refusal(root, tmp_path, skip_bad=32).endswith("; to leave them out, give --ingest.skip-bad 33")


def test_skipped_rows_leave_the_others_in_their_blocks(tmp_path, rows_of):
    root = tmp_path / "whole"
    for row in range(40):
        save(root / "a" / f"{row}.png", np.full((4, 6, 1), row, np.uint8))
    whole = run(root, tmp_path / "before", block_rows=8)
    names = whole.names_at("train", np.arange(32))
    # All of the first block, and one row of the last.
    bad = [*names[:8], names[31]]
    for name in bad:
        (root / name).write_bytes(b"")
    part = run(root, tmp_path / "after", block_rows=8, skip_bad=9)
    assert [(block.index, block.rows) for block in part.blocks["train"]] == [(1, 8), (2, 8), (3, 7)]
    np.testing.assert_array_equal(rows_of(part, "train")[0], rows_of(whole, "train")[0][8:31])
    assert part.names_at("train", np.arange(23)) == names[8:31]
    np.testing.assert_array_equal(rows_of(part, "test")[0], rows_of(whole, "test")[0])
    assert not [*part.path.glob("train-00000*")]


def test_a_split_without_a_usable_picture_is_refused(tmp_path):
    root = tmp_path / "set"
    for split in ("train", "test"):
        for row in range(5):
            save(root / split / "a" / f"{row}.png")
    for file in (root / "test" / "a").iterdir():
        file.write_bytes(file.read_bytes()[:40])
    message = refusal(root, tmp_path, skip_bad=100)
    assert ": 5 of 10 images cannot be used: 5 damaged (test/a/0.png" in message
    assert message.endswith("; no image of test is left")


def test_sets_without_bad_pictures_have_no_list(tmp_path):
    root = tmp_path / "set"
    for row in range(9):
        save(root / "a" / f"{row}.png")
    examples = run(root, tmp_path / "out", skip_bad=3)
    assert not (examples.path / "skipped.csv").exists()
    assert "skipped" not in examples.summary()


def test_names_of_any_bytes_are_listed(tmp_path):
    root = tmp_path / "set"
    for row in range(9):
        save(root / "a" / f"{row}.png")
    for name in (b"\xff.png", b'a "b", c.png', b"line\nbreak.png"):
        with open(os.fsencode(root) + b"/a/" + name, "wb"):
            pass
    examples = run(root, tmp_path / "out", skip_bad=3)
    names = [row["file"] for row in listed(examples.path / "skipped.csv")]
    assert names == ["a/\\xff.png", 'a/a "b", c.png', "a/line\nbreak.png"]


def test_validation_rows_alone_are_not_trained_on(tmp_path):
    root = tmp_path / "set"
    for split in ("train", "val", "test"):
        save(root / split / "a" / "0.png", np.zeros((4, 6, 1), np.uint8))
        save(root / split / "b" / "1.png", np.ones((4, 6, 1), np.uint8))
    for file in (root / "train").rglob("*.png"):
        file.write_bytes(file.read_bytes()[:-30])
    with pytest.raises(InputError, match="no image of train is left"):
        run(root, tmp_path / "out", RunContext(source=root), BeamOptions(), skip_bad=2)


@pytest.mark.parametrize("number", [errno.EIO, errno.EMFILE, errno.ENOMEM, errno.ESTALE])
def test_picture_that_cannot_be_read_at_the_moment_is_not_left_out(tmp_path, monkeypatch, number):
    root = tmp_path / "photographs"
    for row in range(12):
        save(root / "abc"[row % 3] / f"{row:03}.png", shape=(4, 6, 1))
    monkeypatch.setattr("components.ingest.folders.picture_pool.processes_for", lambda files: 0)
    planned = plan(root, tmp_path)
    fail_to_open(monkeypatch, "004.png", number)
    with pytest.raises(OSError, match=os.strerror(number)):
        [reader.read() for reader in planned.readers]


def test_missing_memory_does_not_make_a_picture_damaged(tmp_path, monkeypatch):
    def fail(*arguments, **named):
        raise MemoryError

    root = tmp_path / "photographs"
    for row in range(12):
        save(root / "abc"[row % 3] / f"{row:03}.gif", shape=(4, 6, 1))
    planned = plan(root, tmp_path)
    monkeypatch.setattr("PIL.Image.Image.convert", fail)
    with pytest.raises(MemoryError):
        [reader.read() for reader in planned.readers]
