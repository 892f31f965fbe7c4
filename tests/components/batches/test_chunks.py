"""chunks: the rows of an epoch in whole batches, filled up to one shape."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import components.batches.chunks
from components.batches.chunks import training_chunks
from components.batches.stream import Order, Permutation, stream_batches

ROWS = 103


@pytest.fixture(scope="module")
def numbered(write_examples, tmp_path_factory):
    """103 images of 4 bytes; a row's index is its label, and its pixels hold it."""
    labels = np.arange(ROWS)
    images = np.broadcast_to(labels[:, None, None, None], (ROWS, 2, 2, 1)).astype(np.uint8)
    rows = {"train": (images, labels), "test": (images[:5], labels[:5])}
    return write_examples(tmp_path_factory.mktemp("numbered"), rows, ("a",), block_rows=20)


@settings(max_examples=15)
@given(st.integers(1, ROWS), st.integers(1, 130), st.integers(1, 60))
def test_chunks_are_the_rows_of_an_epoch_in_equal_shapes(numbered, rows, batch_size, chunk_rows):
    import tensorflow as tf

    permutation = Permutation(7, tf.Variable(1, dtype=tf.int64, trainable=False))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(components.batches.chunks, "CHUNK_BYTES", 4 * chunk_rows)
        chunks = training_chunks(numbered, np.arange(rows), permutation, batch_size)
    (size, *_), _, _ = (spec.shape for spec in chunks.element_spec)
    assert size % batch_size == 0
    assert size <= max(batch_size, chunk_rows)
    counts, read = [], []
    for images, labels, count in chunks.as_numpy_iterator():
        assert (images.shape, labels.shape) == ((size, 2, 2, 1), (size,))
        assert np.array_equal(images[:, 0, 0, 0], labels)
        assert not labels[count:].any()
        counts.append(count)
        read.extend(labels[:count].tolist())
    assert all(count == size for count in counts[:-1])
    whole = stream_batches(numbered, "train", rows, Order(np.arange(rows), permutation))
    assert read == next(whole.as_numpy_iterator())[1].tolist()


def test_rows_of_large_images_are_batches_of_their_own(numbered, monkeypatch):
    import tensorflow as tf

    monkeypatch.setattr(components.batches.chunks, "CHUNK_BYTES", 1)
    permutation = Permutation(7, tf.Variable(0, dtype=tf.int64, trainable=False))
    chunks = training_chunks(numbered, np.arange(ROWS), permutation, 40)
    assert [int(rows) for _, _, rows in chunks] == [40, 40, 23]
