"""digits: TensorFlow Datasets returns the published data set."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import numpy as np
import pytest

import components.datasets.digits
from components.ingest.tfds.tfds_source import TfdsSource

FOLDER = Path(components.datasets.digits.__path__[0])
# As published by UCI for its test part, digit by digit, in optdigits.names.
UCI_COUNTS = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


@pytest.fixture(scope="module")
def builder(tmp_path_factory):
    source = TfdsSource("digits", tmp_path_factory.mktemp("tfds"))
    source.prepare()
    return source.builder()


@pytest.fixture(scope="module")
def splits(builder):
    """By split: images uint8 (n, 8, 8, 1) and labels int64 (n,)."""
    read = {split: builder.as_dataset(split=split, batch_size=-1, as_supervised=True) for split in ("train", "test")}
    return {split: tuple(part.numpy() for part in parts) for split, parts in read.items()}


def test_splits_hold_all_rows_once(builder, splits):
    assert {name: split.num_examples for name, split in builder.info.splits.items()} == {"train": 1297, "test": 500}
    counts = sum(np.bincount(labels, minlength=10) for _, labels in splits.values())
    assert counts.tolist() == UCI_COUNTS


def test_pixels_are_the_counts_of_the_file_scaled_to_bytes(splits):
    lines = np.genfromtxt(FOLDER / "digits.csv.gz", delimiter=",")
    wanted = {(tuple(int(value * 255 / 16 + 0.5) for value in row[:64]), int(row[64])) for row in lines}
    got = set()
    for images, labels in splits.values():
        assert (images.dtype, images.shape[1:]) == (np.uint8, (8, 8, 1))
        got |= {(tuple(image.ravel().tolist()), int(label)) for image, label in zip(images, labels, strict=True)}
    assert got == wanted


def test_last_rows_of_the_file_are_the_test_split(splits):
    from components.datasets.digits.digits_dataset_builder import read_file

    images, labels = read_file(FOLDER / "digits.csv.gz")
    assert sorted(map(bytes, splits["test"][0])) == sorted(map(bytes, images[-500:]))
    assert np.bincount(splits["test"][1]).tolist() == np.bincount(labels[-500:]).tolist()


def test_readme_names_licence_source_and_digest(builder):
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    digest = re.search(r"SHA-256\s+([0-9a-f]{64})", text)[1]
    assert digest == hashlib.sha256((FOLDER / "digits.csv.gz").read_bytes()).hexdigest()
    assert "CC BY 4.0" in text
    assert "Alpaydin" in builder.info.citation
    assert builder.info.redistribution_info.license == "CC BY 4.0"
