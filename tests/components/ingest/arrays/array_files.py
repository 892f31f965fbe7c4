"""Files of arrays for tests, and how they are read."""

from __future__ import annotations

import io
import pickle
import shutil
import struct
import zipfile

import numpy as np
import pytest

from components.ingest.arrays.array_source import ArraySource
from components.ingest.read_options import ReadOptions
from serving.errors import InputError

RANDOM = np.random.default_rng(3)
ROWS = 30
IMAGES = RANDOM.integers(0, 256, (ROWS, 5, 4), np.uint8)
LABELS = RANDOM.integers(0, 3, ROWS)
LABELS[0] = 2
HALVES = {"x_train": IMAGES[:20], "y_train": LABELS[:20], "x_test": IMAGES[20:], "y_test": LABELS[20:]}
MNIST = {"train-images-idx3": IMAGES[:20], "train-labels-idx1": LABELS[:20].astype(np.uint8)}
MNIST |= {"t10k-images-idx3": IMAGES[20:], "t10k-labels-idx1": LABELS[20:].astype(np.uint8)}
EXPECTED = {"train": (IMAGES[:20, ..., None], LABELS[:20]), "test": (IMAGES[20:, ..., None], LABELS[20:])}


def saved(tmp_path, save=np.savez, **arrays):
    file = tmp_path / "shapes.npz"
    save(file, **arrays)
    return file


def plan(path, tmp_path, **changes):
    scratch = tmp_path / "scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    return ArraySource(path).plan(ReadOptions(**changes), scratch)


def read_rows(planned, split):
    readers = [reader for reader in planned.readers if reader.split == split]
    assert [reader.index for reader in readers] == list(range(len(readers)))
    parts = [pickle.loads(pickle.dumps(reader)).read() for reader in readers]
    return np.concatenate([images for images, _ in parts]), np.concatenate([labels for _, labels in parts])


def assert_same(planned, expected):
    """Compares values and types of both splits."""
    for split, arrays in expected.items():
        for got, array in zip(read_rows(planned, split), arrays, strict=True):
            np.testing.assert_array_equal(got, array, strict=True)


def refusal(path, tmp_path, **changes):
    with pytest.raises(InputError) as caught:
        [reader.read() for reader in plan(path, tmp_path, **changes).readers]
    assert "\n" not in str(caught.value)
    return str(caught.value)


def archive(tmp_path, **members):
    """A .npz file of these bytes."""
    file = tmp_path / "manual.npz"
    with zipfile.ZipFile(file, "w") as target:
        for name, content in members.items():
            target.writestr(f"{name}.npy", content)
    return file


def npy(array, header=None):
    stream = io.BytesIO()
    np.save(stream, array)
    if header is None:
        return stream.getvalue()
    text = header.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + array.tobytes()
