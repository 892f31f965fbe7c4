"""labels: integers of any type are read as int64; other files are refused."""

from __future__ import annotations

import gzip
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.batch.labels import open_labels
from serving.errors import InputError
from tests.serving.batch.inputs.encoded_files import idx
from tests.serving.tiny_bundle import npy, random_images


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("labels")


def opened(path, content):
    path.write_bytes(content)
    return open_labels(path)


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
    labels = open_labels(mnist_dir / "t10k-labels-idx1-ubyte.gz")
    raw = gzip.decompress((mnist_dir / "t10k-labels-idx1-ubyte.gz").read_bytes())
    assert labels.read(0, labels.rows).tolist() == list(raw[8:])


@pytest.mark.parametrize(
    ("content", "advice"),
    [
        (npy(np.zeros(3)), 'holds float64, labels are integers: save them with .astype("int64")'),
        (npy(np.zeros(3, bool)), "holds bool, labels are integers"),
        (npy(np.array(["a"])), "labels are integers"),
        (npy(np.array([None])), "holds Python objects, labels are integers"),
        (npy(np.zeros(3, [("label", np.int64)])), "holds records, labels are integers"),
        (npy(np.zeros((3, 10), np.int64)), "has shape (3, 10), labels are (n,) or (n, 1)"),
        (npy(np.zeros((3, 1, 1), np.int64)), "has shape (3, 1, 1), labels are (n,) or (n, 1)"),
        (npy(np.int64(3)), "has shape (), labels are"),
        (idx(random_images(2)), "has shape (2, 4, 3, 2), labels are"),
        (npy(np.zeros(3, np.int64))[:-1], "has 23 bytes of values, its header says 24"),
        (idx(np.zeros(3, np.uint8)) + b"\n", "has 4 bytes of values, its header says 3"),
        (b"7\n2\n", "is not a .npy or IDX file, but starts with b'7\\n2\\n': save the labels with numpy.save"),
        (b"", "but empty: save the labels"),
    ],
)
def test_file_without_labels_is_refused_with_advice(tmp_path, content, advice):
    with pytest.raises(InputError) as caught:
        opened(tmp_path / "labels", content)
    assert str(caught.value).startswith(f"{tmp_path / 'labels'} ")
    assert advice in str(caught.value)


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="nowhere cannot be read: No such file"):
        open_labels(tmp_path / "nowhere")


def test_truncated_or_modified_labels_are_refused(tmp_path):
    labels = opened(tmp_path / "labels", npy(np.arange(5)))
    labels.require_unchanged()
    os.truncate(tmp_path / "labels", 140)
    with pytest.raises(InputError, match="became shorter while it was read"):
        labels.read(0, 5)
    with pytest.raises(InputError, match="was changed while it was read"):
        labels.require_unchanged()
