"""idx_folder: IDX files are planned by their names, packed or not."""

from __future__ import annotations

import gzip
import struct

import pytest

from components.ingest.arrays.array_source import ArraySource
from tests.components.ingest.arrays.array_files import (
    EXPECTED,
    IMAGES,
    MNIST,
    assert_same,
    plan,
    refusal,
)
from tests.serving.batch.inputs.encoded_files import idx


@pytest.mark.parametrize("packed", [False, True, None])
@pytest.mark.parametrize(("prefix", "test"), [("", "t10k"), ("emnist-letters-", "test")])
def test_idx_files_are_read(tmp_path, packed, prefix, test):
    root = tmp_path / "mnist"
    root.mkdir()
    for number, (name, array) in enumerate(MNIST.items()):
        name = prefix + name.replace("t10k", test) + "-ubyte"
        if packed or (packed is None and number % 2):
            (root / f"{name}.gz").write_bytes(gzip.compress(idx(array)))
        else:
            (root / name).write_bytes(idx(array))
    (root / "emnist-letters-mapping.txt").write_text("0 48")
    (root / "._train-images-idx3-ubyte").write_text("hidden")
    planned = plan(root, tmp_path, block_rows=7)
    assert_same(planned, EXPECTED)
    assert planned.dataset == "arrays:mnist"
    assert sum(1 for _ in (tmp_path / "scratch").iterdir()) == {False: 0, True: 4, None: 2}[packed]


def test_unpacked_idx_file_is_used_before_the_packed_one(tmp_path):
    for name, array in MNIST.items():
        (tmp_path / f"{name}-ubyte").write_bytes(idx(array))
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(b"\x1f\x8bdamaged")
    assert_same(plan(tmp_path, tmp_path), EXPECTED)


def test_idx_files_of_several_sets_are_refused(tmp_path):
    for prefix in ("emnist-digits-", "emnist-letters-"):
        for name, array in MNIST.items():
            (tmp_path / f"{prefix}{name}-ubyte").write_bytes(idx(array))
    assert "holds files of 2 sets (emnist-digits-" in refusal(tmp_path, tmp_path)


def test_fingerprint_depends_on_the_idx_files_alone(tmp_path):
    for name, array in MNIST.items():
        (tmp_path / f"{name}-ubyte").write_bytes(idx(array))
    before = ArraySource(tmp_path).fingerprint()
    (tmp_path / "README").write_text("text")
    assert ArraySource(tmp_path).fingerprint() == before
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(idx(MNIST["t10k-labels-idx1"][::-1]))
    assert ArraySource(tmp_path).fingerprint() != before


def test_damaged_idx_files_are_refused_in_one_sentence(tmp_path):
    for name, array in MNIST.items():
        (tmp_path / f"{name}-ubyte.gz").write_bytes(gzip.compress(idx(array)))
    images = tmp_path / "train-images-idx3-ubyte.gz"
    whole = images.read_bytes()
    flipped = whole[:-6] + bytes([whole[-6] ^ 1]) + whole[-5:]
    for content, why in (
        (whole[:-20], "is damaged (Compressed file ended"),
        (flipped, "is damaged (CRC check failed"),
        (gzip.compress(b"text"), "is damaged (it does not start with two zero bytes)"),
        (gzip.compress(idx(IMAGES[:20], kind=0x0D)), "is damaged (its values are float32, not uint8)"),
        (gzip.compress(idx(IMAGES[:20])[:-1]), "has 399 bytes of values, its header says 400"),
        (gzip.compress(idx(IMAGES[:20]) + b"1"), "has 401 bytes of values, its header says 400"),
        (gzip.compress(struct.pack(">HBB3I", 0, 8, 3, *[2**32 - 1] * 3)), "has 0 bytes of values, its header says "),
        (idx(IMAGES[:20])[:-1], "has 399 bytes of values, its header says 400"),
    ):
        images.write_bytes(content)
        assert f"train-images-idx3-ubyte.gz {why}" in refusal(tmp_path, tmp_path)
