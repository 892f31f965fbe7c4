"""stream: every row is read once, in an order that depends only on seed and epoch."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import components.batches.stream
from components.batches.stream import Order, Permutation, stream_batches

ROWS = 103


@pytest.fixture(scope="module")
def numbered(write_examples, tmp_path_factory):
    """103 images in blocks of 20; a row's index is its label, and its pixels hold it."""
    labels = np.arange(ROWS)
    images = (labels[:, None, None, None] + np.array([0, 50, 100, 150]).reshape(2, 2, 1)).astype(np.uint8)
    rows = {"train": (images, labels), "test": (images[:5], labels[:5])}
    return write_examples(tmp_path_factory.mktemp("numbered"), rows, ("a",), block_rows=20)


@pytest.fixture
def small_groups(monkeypatch):
    """Rows are permuted in groups of 16 instead of all at once."""
    monkeypatch.setattr(components.batches.stream, "SHUFFLE_BYTES", 16 * 4)


def rows_read(batches):
    """The rows' indices in order; checks that each image belongs to its label."""
    read = []
    for images, labels in batches.as_numpy_iterator():
        assert images.dtype == np.uint8
        assert np.array_equal(images[:, 0, 0, 0], labels)
        assert np.array_equal(images[:, 1, 1, 0], (labels + 150) % 256)
        read.extend(labels.tolist())
    return read


def epoch_rows(examples, seed, epoch, batch_size=10, stop=ROWS):
    """One pass over a new dataset."""
    import tensorflow as tf

    variable = tf.Variable(epoch, dtype=tf.int64, trainable=False)
    return rows_read(stream_batches(examples, "train", batch_size, Order(np.arange(stop), Permutation(seed, variable))))


@settings(max_examples=15)
@given(
    st.tuples(st.integers(0, ROWS), st.integers(0, ROWS)).filter(lambda ends: ends[0] != ends[1]), st.integers(1, 130)
)
def test_rows_are_in_order_for_any_range_and_batch_size(numbered, ends, batch_size):
    start, stop = sorted(ends)
    batches = stream_batches(numbered, "train", batch_size, Order(np.arange(start, stop)))
    assert rows_read(batches) == list(range(start, stop))
    sizes = [len(labels) for _, labels in batches.as_numpy_iterator()]
    assert all(size == batch_size for size in sizes[:-1])
    assert len(sizes) == batches.cardinality().numpy()


def test_without_an_order_the_whole_split_is_read(numbered):
    assert rows_read(stream_batches(numbered, "train", 7)) == list(range(ROWS))
    assert rows_read(stream_batches(numbered, "test", 7)) == list(range(5))


@pytest.mark.parametrize("batch_size", [1, 40, 200])
def test_each_epoch_reads_every_row_once(numbered, batch_size):
    assert Counter(epoch_rows(numbered, 7, 0, batch_size)) == Counter(range(ROWS))


def test_small_groups_read_every_row_once(numbered, small_groups):
    read = epoch_rows(numbered, 7, 0)
    assert Counter(read) == Counter(range(ROWS))
    assert read != list(range(ROWS))


def test_groups_are_permuted_differently(numbered, small_groups):
    first, second = (np.argsort(epoch_rows(numbered, 7, 0)[start : start + 16]).tolist() for start in (0, 16))
    assert first != second


def test_permutation_stays_within_the_range(numbered):
    assert Counter(epoch_rows(numbered, 7, 3, stop=83)) == Counter(range(83))


def test_epochs_differ_and_a_new_dataset_repeats_each(numbered):
    import tensorflow as tf

    epoch = tf.Variable(0, dtype=tf.int64, trainable=False)
    batches = stream_batches(numbered, "train", 10, Order(None, Permutation(7, epoch)))
    passes = []
    for number in range(3):
        epoch.assign(number)
        passes.append(rows_read(batches))
    assert passes[0] != passes[1] != passes[2] != passes[0]
    # As after an interruption: epoch 2 is read without epochs 0 and 1 before it.
    assert epoch_rows(numbered, 7, 2) == passes[2]
    assert epoch_rows(numbered, 7, 0) == passes[0]


def test_a_new_dataset_repeats_small_groups(numbered, small_groups):
    assert epoch_rows(numbered, 7, 1) == epoch_rows(numbered, 7, 1)
    assert epoch_rows(numbered, 7, 1) != epoch_rows(numbered, 7, 2)


def test_a_file_that_became_shorter_is_an_error(write_examples, tmp_path):
    images, labels = np.zeros((40, 2, 2, 1), np.uint8), np.zeros(40, np.int64)
    examples = write_examples(tmp_path, {"train": (images, labels), "test": (images, labels)}, ("a",), block_rows=20)
    batches = stream_batches(examples, "train", 10)
    file = tmp_path / examples.blocks["train"][1].images_file
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(Exception, match="is shorter than when it was written: delete its folder and run again"):
        rows_read(batches)


def test_seeds_differ(numbered):
    assert epoch_rows(numbered, 7, 0) != epoch_rows(numbered, 8, 0)


def test_order_does_not_depend_on_the_batch_size(numbered):
    assert epoch_rows(numbered, 7, 0, batch_size=10) == epoch_rows(numbered, 7, 0, batch_size=64)
