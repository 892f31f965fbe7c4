"""Examples -> tf.data: batches of rows, streamed from blocks, permuted by seed and epoch alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from components.artifacts.examples import Block, Examples

if TYPE_CHECKING:
    import tensorflow as tf

# Rows are permuted within so many bytes of pixels at a time, after the blocks themselves were permuted.
SHUFFLE_BYTES = 1 << 26


@dataclass(frozen=True)
class Permutation:
    """An order of rows for each epoch, which depends on nothing that came before.

    So an interrupted training that goes on at a later epoch sees what it would have seen.

    Attributes:
        seed: 0 or more.
        epoch: int64 scalar variable, which is read whenever an iteration begins.
    """

    seed: int
    epoch: tf.Variable


@dataclass(frozen=True)
class Order:
    """Which rows of a split are read, and in which order.

    Attributes:
        start: first row.
        stop: one past the last row.
        permutation: None leaves the rows as they stand.
    """

    start: int
    stop: int
    permutation: Permutation | None = None


def stream_batches(examples: Examples, split: str, batch_size: int, order: Order | None = None) -> tf.data.Dataset:
    """Batches of a split, of which no more than a few blocks are in memory at once.

    Args:
        examples: where the blocks are.
        split: which of its splits.
        batch_size: rows a batch; the last one may be smaller.
        order: None is every row as it stands.

    Returns:
        Batches of (uint8 (n, h, w, c), int64 (n,)), with a known cardinality.
    """
    import tensorflow as tf

    order = order or Order(0, examples.rows(split))
    pieces = _pieces(examples, split, order.start, order.stop)
    permutation = order.permutation
    if permutation is None:
        rows = _read(tf.data.Dataset.from_tensor_slices(pieces), examples)
    else:
        rows = tf.data.Dataset.from_tensors(0).flat_map(lambda _: _permuted(pieces, examples, batch_size, permutation))
    batches = rows.rebatch(batch_size)
    options = tf.data.Options()
    # Autotuning stalled for seconds at the end of a pass in half of the trials, and gains nothing here.
    options.autotune.enabled = False
    options.deterministic = True
    steps = -(-(order.stop - order.start) // batch_size)
    return batches.apply(tf.data.experimental.assert_cardinality(steps)).with_options(options)


def _permuted(
    pieces: tuple[np.ndarray, ...], examples: Examples, batch_size: int, permutation: Permutation
) -> tf.data.Dataset:
    import tensorflow as tf

    seed = tf.stack([tf.constant(permutation.seed, tf.int64), permutation.epoch.read_value()])
    group_rows = max(batch_size, SHUFFLE_BYTES // int(np.prod(examples.image_shape)))

    def permute(group: tf.Tensor, batch: tuple[tf.Tensor, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        images, labels = batch
        rows = tf.range(tf.shape(labels)[0])
        shuffled = tf.random.experimental.stateless_shuffle(rows, seed + tf.stack([0, (group + 1) * (1 << 32)]))
        return tf.gather(images, shuffled), tf.gather(labels, shuffled)

    shuffled = tf.random.experimental.stateless_shuffle(tf.range(len(pieces[0])), seed)
    blocks = tf.data.Dataset.from_tensor_slices(tuple(tf.gather(piece, shuffled) for piece in pieces))
    groups = _read(blocks, examples).rebatch(group_rows)
    return groups.enumerate().map(permute).prefetch(1)


def _pieces(examples: Examples, split: str, start: int, stop: int) -> tuple[np.ndarray, ...]:
    """The blocks that hold rows start to stop: two file names, two offsets, first and last row of each."""
    pieces = []
    first = 0
    for block in examples.blocks[split]:
        begin, end = max(start - first, 0), min(stop - first, block.rows)
        if begin < end:
            pieces.append((*_files(examples, block), begin, end))
        first += block.rows
    return tuple(np.array(column) for column in zip(*pieces, strict=True))


def _files(examples: Examples, block: Block) -> tuple[str, str, int, int]:
    images, labels = examples.path / block.images_file, examples.path / block.labels_file
    offsets = [np.load(file, mmap_mode="r", allow_pickle=False).offset for file in (images, labels)]
    return str(images), str(labels), offsets[0], offsets[1]


def _read(blocks: tf.data.Dataset, examples: Examples) -> tf.data.Dataset:
    import tensorflow as tf

    shape = examples.image_shape

    def read(
        images_file: tf.Tensor,
        labels_file: tf.Tensor,
        images_at: tf.Tensor,
        labels_at: tf.Tensor,
        begin: tf.Tensor,
        end: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        pixels = tf.io.decode_raw(tf.io.read_file(images_file), tf.uint8)[images_at:]
        labels = tf.io.decode_raw(tf.io.read_file(labels_file), tf.int64)[labels_at // 8 :]
        return tf.reshape(pixels, (-1, *shape))[begin:end], labels[begin:end]

    return blocks.map(read, num_parallel_calls=1).prefetch(1)
