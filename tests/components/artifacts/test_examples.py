"""examples: digests, samples and single rows of blocks."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
from dataclasses import replace

import numpy as np
import pytest

from components.artifacts.block_files import write_block
from components.artifacts.examples import Examples
from serving.codec import FormatError
from serving.errors import InputError


def test_the_digest_of_a_split_is_of_its_shape_and_of_the_pixels_and_labels_of_each_block(write_examples, tmp_path):
    images = np.arange(60, dtype=np.uint8).reshape(5, 3, 4, 1)
    labels = np.array([1, 0, 1, 1, 0])
    splits = {"train": (images, labels), "test": (images[:1], labels[:1])}
    blocks = [images[at : at + 2].tobytes() + labels[at : at + 2].astype("<i8").tobytes() for at in (0, 2, 4)]
    content = json.dumps([[3, 4, 1], [hashlib.sha256(block).hexdigest() for block in blocks]], indent=1) + "\n"
    examples = write_examples(tmp_path, splits, ("a", "b"), 2)
    assert examples.sha256("train") == hashlib.sha256(content.encode()).hexdigest()


def test_pixels_in_another_memory_order_are_written_in_the_same_order(tmp_path):
    images = np.arange(24, dtype=np.uint8).reshape(2, 3, 4, 1)
    block = write_block(tmp_path, "train", 0, [(np.ascontiguousarray(images[::-1])[::-1], np.array([1, 0]))])
    np.testing.assert_array_equal(np.load(tmp_path / block.images_file), images)


def test_parts_are_written_as_one_array_one_after_the_other(tmp_path):
    random = np.random.default_rng(2)
    images = random.integers(0, 256, (1003, 5, 4, 3), np.uint8)
    labels = random.integers(0, 9, 1003)

    def parts():
        written = 0
        for start in range(0, 1003, 100):
            # The file grows before the next part is taken; only the last writes may still be in a buffer.
            size = sum(file.stat().st_size for file in tmp_path.glob(".*"))
            assert size >= written - 20_000
            yield images[start : start + 100], labels[start : start + 100]
            written += images[start : start + 100].nbytes

    block = write_block(tmp_path, "train", 1, parts())
    assert block.rows == 1003
    np.save(tmp_path / "images.npy", images)
    np.save(tmp_path / "labels.npy", labels)
    assert (tmp_path / block.images_file).read_bytes() == (tmp_path / "images.npy").read_bytes()
    assert (tmp_path / block.labels_file).read_bytes() == (tmp_path / "labels.npy").read_bytes()


def test_block_that_cannot_be_read_leaves_no_file(tmp_path):
    def parts():
        yield np.zeros((2, 3, 4, 1), np.uint8), np.zeros(2, np.int64)
        raise InputError("damaged")

    with pytest.raises(InputError, match="damaged"):
        write_block(tmp_path, "train", 0, parts())
    assert list(tmp_path.iterdir()) == []


def test_the_digest_of_a_split_depends_on_content_order_and_shape(made, tmp_path):
    examples = made.examples
    train_blocks = examples.blocks["train"]
    digest = examples.sha256("train")
    reordered = replace(examples, blocks={**examples.blocks, "train": train_blocks[::-1]})
    assert reordered.sha256("train") != digest
    assert reordered.sha256("test") == examples.sha256("test")
    assert replace(examples, image_shape=(4, 16, 1)).sha256("train") != digest
    shutil.copytree(examples.path, tmp_path / "elsewhere")
    assert Examples.load(tmp_path / "elsewhere").sha256("train") == digest


@pytest.mark.parametrize(
    ("rows", "block_rows", "at_most"), [(2500, 7, 1000), (2500, 2500, 1100), (999, 100, 1000), (3, 2, 3), (5, 5, 1)]
)
def test_sampled_images_are_spread_over_the_split(write_examples, tmp_path, rows, block_rows, at_most):
    images = (np.arange(rows)[:, None, None, None] >> [0, 8]).astype(np.uint8)
    splits = {"train": (images, np.zeros(rows, np.int64)), "test": (images[:1], np.zeros(1, np.int64))}
    examples = write_examples(tmp_path, splits, ("a",), block_rows)
    pieces = list(examples.sampled_images("train", at_most))
    assert max(map(len, pieces)) <= 1024
    taken = np.concatenate(pieces).astype(int)
    assert taken.shape == (min(rows, at_most), 1, 1, 2)
    numbers = (taken[..., 0] + 256 * taken[..., 1]).ravel()
    # One image from each of equal parts.
    parts = np.arange(len(numbers) + 1) * rows // len(numbers)
    assert ((parts[:-1] <= numbers) & (numbers < parts[1:])).all()


@pytest.fixture
def numbered(write_examples, tmp_path):
    """Examples whose images hold their row; the test rows have file names, as ingest writes them."""
    images = np.arange(50, dtype=np.uint8)[:, None, None, None]
    rows = (images, np.zeros(50, np.int64))
    examples = write_examples(tmp_path, {"train": rows, "test": rows}, ("a",), 20)
    for first, block in examples.placed_blocks("test"):
        names = [f"test/{row}.png" for row in range(first, first + block.rows)]
        (tmp_path / block.names_file).write_text(json.dumps(names), encoding="utf-8")
    return examples


def test_rows_are_read_in_any_order(numbered):
    rows = np.array([49, 0, 20, 19, 21, 0])
    assert numbered.images_at("train", rows).ravel().tolist() == rows.tolist()
    assert numbered.images_at("train", rows[:0]).shape == (0, 1, 1, 1)
    assert numbered.names_at("test", rows) == [f"test/{row}.png" for row in rows]
    assert numbered.names_at("train", rows) == [None] * len(rows)


def test_a_message_names_the_row_and_its_file(numbered):
    assert numbered.describe("test", 21) == "row 21 (test/21.png)"
    assert numbered.describe("train", 21) == "row 21"


def test_only_the_blocks_of_the_rows_are_read(numbered):
    file = numbered.path / numbered.blocks["test"][1].names_file
    file.write_text("not JSON")
    assert numbered.names_at("test", np.array([19])) == ["test/19.png"]
    with pytest.raises(FormatError, match=f"^{file} is not valid JSON"):
        numbered.names_at("test", np.array([20]))


def test_threads_load_one_file_at_a_time(write_examples, tmp_path, monkeypatch):
    """In CPython 3.11, np.load in two threads can fail with SystemError."""
    split = (np.zeros((40, 3, 4, 1), np.uint8), np.zeros(40, np.int64))
    examples = write_examples(tmp_path, {"train": split, "test": split}, ("a",), 1)
    load, inside, overlaps = np.load, threading.Lock(), []

    def watched(*args, **options):
        if not inside.acquire(blocking=False):
            overlaps.append(args)
            return load(*args, **options)
        try:
            # Another thread gets its turn here.
            for _ in range(20):
                os.sched_yield()
            return load(*args, **options)
        finally:
            inside.release()

    monkeypatch.setattr("components.artifacts.examples.usable_processors", lambda: 8)
    monkeypatch.setattr(np, "load", watched)
    examples.sha256("train")
    assert not overlaps
