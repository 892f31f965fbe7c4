"""labels: integers of any type are read as int64; other files are refused."""

from __future__ import annotations

import gzip
import os
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.batch.labels import open_labels
from serving.errors import InputError
from tests.serving.batch.inputs.encoded_files import idx
from tests.serving.tiny_bundle import npy, random_images

ANIMALS = ("cat", "ox", "tiger", "花")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("labels")


def opened(path, content):
    path.write_bytes(content)
    return open_labels(path, ANIMALS)


@settings(deadline=None)
@given(
    st.sampled_from(["|u1", "|i1", "<i2", ">i2", "<u2", ">u2", "<i4", ">u4", "<i8", ">i8", "<u8", ">u8"]),
    st.lists(st.integers(0, 120), max_size=12),
    st.booleans(),
    st.sampled_from("CF"),
    st.data(),
)
def test_labels_equal_those_of_numpy(folder, dtype, values, column, order, data):
    array = np.array(values, dtype).reshape((-1, 1) if column else -1, order=order)
    labels = opened(folder / "labels.npy", npy(array))
    assert labels.rows == len(values)
    start = data.draw(st.integers(0, len(values)))
    stop = data.draw(st.integers(start, len(values)))
    read = labels.read(start, stop)
    assert read.dtype == np.int64
    assert read.tolist() == values[start:stop]


def test_negative_labels_are_unchanged(folder):
    assert opened(folder / "labels.npy", npy(np.array([-1, 2], ">i4"))).read(0, 2).tolist() == [-1, 2]


@pytest.mark.parametrize("dtype", ["<u8", ">u8"])
def test_label_too_large_for_int64_is_refused_when_it_is_read(folder, dtype):
    labels = opened(folder / "labels.npy", npy(np.array([3, 2**63 - 1, 2**63], dtype)))
    assert labels.read(0, 2).tolist() == [3, 2**63 - 1]
    with pytest.raises(InputError, match=r"labels\.npy holds labels of 2⁶³ and more"):
        labels.read(1, 3)


def test_idx_labels_are_read_plain_and_compressed(folder):
    values = np.array([7, 0, 255], np.uint8)
    for content in (idx(values), gzip.compress(idx(values), mtime=0)):
        assert opened(folder / "labels", content).read(0, 3).tolist() == [7, 0, 255]


def test_every_mnist_label_equals_the_byte_of_the_file(mnist_dir):
    labels = open_labels(mnist_dir / "t10k-labels-idx1-ubyte.gz", ANIMALS)
    raw = gzip.decompress((mnist_dir / "t10k-labels-idx1-ubyte.gz").read_bytes())
    assert labels.read(0, labels.rows).tolist() == list(raw[8:])


@pytest.mark.parametrize(
    ("content", "advice"),
    [
        (npy(np.zeros(3)), 'holds float64, labels are integers or names of classes: save them with .astype("int64")'),
        (npy(np.zeros(3, bool)), "holds bool, labels are integers"),
        (npy(np.array(["a"]))[:-4], "has 0 bytes of values, its header says 4"),
        (npy(np.array([["a", "b"]])), "has shape (1, 2), labels are (n,) or (n, 1), or one-hot (n, classes)"),
        (npy(np.zeros(3, "S1"))[:-3].replace(b"|S1", b"|S0"), "holds bytes, labels are integers or names"),
        (npy(np.array([None])), "holds Python objects, labels are integers"),
        (npy(np.zeros(3, [("label", np.int64)])), "holds records, labels are integers"),
        (
            npy(np.zeros((3, 10), np.int64)),
            "has shape (3, 10), the model has 4 classes: save one column for each class",
        ),
        (npy(np.zeros((3, 1, 1), np.int64)), "has shape (3, 1, 1), labels are (n,) or (n, 1)"),
        (npy(np.int64(3)), "has shape (), labels are"),
        (idx(random_images(2)), "has shape (2, 4, 3, 2), labels are"),
        (npy(np.zeros(3, np.int64))[:-1], "has 23 bytes of values, its header says 24"),
        (idx(np.zeros(3, np.uint8)) + b"\n", "has 4 bytes of values, its header says 3"),
        (b"7\x01", "is not a .npy or IDX file, but starts with b'7\\x01': save the labels with numpy.save"),
        (b"", "but empty: save the labels"),
    ],
)
def test_file_without_labels_is_refused_with_advice(tmp_path, content, advice):
    with pytest.raises(InputError) as caught:
        opened(tmp_path / "labels", content)
    assert str(caught.value).startswith(f"{tmp_path / 'labels'} ")
    assert advice in str(caught.value)


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, bool, ">f4"])
def test_one_hot_rows_are_class_numbers(folder, dtype):
    values = np.array([2, 0, 1, 3, 3])
    rows = np.eye(4)[values].astype(dtype)
    labels = opened(folder / "labels.npy", npy(rows))
    assert labels.read(1, 5).tolist() == [0, 1, 3, 3]
    assert labels.read(1, 5).dtype == np.int64
    rows[3, 0] = 1
    labels = opened(folder / "labels.npy", npy(rows))
    with pytest.raises(InputError, match=r"one-hot labels of 4 classes, but row 3 has 2 ones: save a single 1"):
        labels.read(1, 5)


@pytest.mark.parametrize("dtype", ["<U5", ">U9", "S6"])
@pytest.mark.parametrize("shape", [(-1,), (-1, 1)])
def test_names_of_classes_are_their_numbers(folder, dtype, shape):
    names = [name.encode() for name in ANIMALS] if dtype[0] == "S" else list(ANIMALS)
    stored = np.array([names[label] for label in (3, 0, 1, 2, 0)], dtype).reshape(shape)
    labels = opened(folder / "labels.npy", npy(stored))
    assert labels.read(0, 5).tolist() == [3, 0, 1, 2, 0]
    assert labels.read(2, 4).dtype == np.int64
    stored[3] = "tigre"
    labels = opened(folder / "labels.npy", npy(stored))
    message = "has the label 'tigre' in row 3, which is not a class: did you mean 'tiger'?"
    with pytest.raises(InputError, match=re.escape(message)):
        labels.read(2, 5)


@pytest.mark.parametrize("stored", [np.array([0xD800], "<u4").view("<U1"), np.array([0xFFFFFFFF], "<u4").view("<U1")])
def test_labels_that_are_not_text_are_refused(folder, stored):
    with pytest.raises(InputError, match="holds labels that are not valid text"):
        opened(folder / "labels.npy", npy(stored)).read(0, 1)


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="nowhere cannot be read: No such file"):
        open_labels(tmp_path / "nowhere", ANIMALS)


def test_truncated_or_modified_labels_are_refused(tmp_path):
    labels = opened(tmp_path / "labels", npy(np.arange(5)))
    labels.require_unchanged()
    os.truncate(tmp_path / "labels", 140)
    with pytest.raises(InputError, match="became shorter while it was read"):
        labels.read(0, 5)
    with pytest.raises(InputError, match="was changed while it was read"):
        labels.require_unchanged()
