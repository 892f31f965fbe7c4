"""Examples -> tf.data: batches of rows, streamed from blocks, in an order that depends only on seed and epoch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from components.artifacts.examples import Examples
from components.batches.row_reader import Piece, Rows, find_pieces, read_rows

if TYPE_CHECKING:
    import tensorflow as tf

# The blocks are permuted first, then the rows within groups of this many bytes of pixels; MNIST's training images are
# one group. The group that is used and the next one are in memory together.
SHUFFLE_BYTES = 48 << 20
# Rows in their order are read this many bytes at a time.
READ_BYTES = 8 << 20
# Permuted rows are copied this many at a time: a copy of the whole group would double the memory.
GATHER_ROWS = 1000
THREADS = 2


@dataclass(frozen=True)
class Permutation:
    """An order of rows for each epoch, which does not depend on earlier epochs.

    So an interrupted training that continues at a later epoch reads the rows in the same order.

    Attributes:
        seed: 0 or more.
        epoch: int64 scalar variable, which is read whenever an iteration begins.
    """

    seed: int
    epoch: tf.Variable


@dataclass(frozen=True, eq=False)
class Order:
    """The rows of a split that are read, and their order.

    Attributes:
        rows: their indices, rising; None means all of them.
        permutation: None keeps the order of the split.
    """

    rows: Rows | None = None
    permutation: Permutation | None = None


def stream_batches(examples: Examples, split: str, batch_size: int, order: Order | None = None) -> tf.data.Dataset:
    """The batches of a split: (uint8 (n, h, w, c), int64 (n,)), with a known cardinality; the last one may be smaller.

    Only a few blocks are in memory at once. Without an order, all rows are read in their order.
    """
    import tensorflow as tf

    order = order or Order()
    pieces = find_pieces(examples, split, order.rows)
    permutation = order.permutation
    if permutation is None:
        rows = _stream_rows(pieces, tf.range(len(pieces)), READ_BYTES)
    else:
        rows = tf.data.Dataset.from_tensors(0).flat_map(
            tf.autograph.experimental.do_not_convert(lambda _: _permuted_rows(pieces, permutation))
        )
    batches = rows.rebatch(batch_size)
    options = tf.data.Options()
    # In half of the measurements, autotuning stalled for seconds at the end of a pass; it gains nothing here.
    options.autotune.enabled = False
    options.deterministic = True
    steps = -(-sum(piece.rows for piece in pieces) // batch_size)
    return batches.apply(tf.data.experimental.assert_cardinality(steps)).with_options(options)


def _permuted_rows(pieces: Sequence[Piece], permutation: Permutation) -> tf.data.Dataset:
    import tensorflow as tf

    seed = tf.stack([tf.constant(permutation.seed, tf.int64), permutation.epoch.read_value()])

    def permute(group: tf.Tensor, batch: tuple[tf.Tensor, tf.Tensor]) -> tf.data.Dataset:
        images, labels = batch
        rows = tf.shape(labels, tf.int64)[0]
        shuffled = tf.random.experimental.stateless_shuffle(
            tf.range(rows), seed + tf.stack([0, (group + 1) * (1 << 32)])
        )

        def gather(start: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            chosen = shuffled[start : start + GATHER_ROWS]
            return tf.gather(images, chosen), tf.gather(labels, chosen)

        starts = tf.data.Dataset.range(0, rows, GATHER_ROWS)
        return starts.map(gather, num_parallel_calls=THREADS, deterministic=True)

    order = tf.random.experimental.stateless_shuffle(tf.range(len(pieces)), seed)
    return _stream_rows(pieces, order, SHUFFLE_BYTES).enumerate().flat_map(permute)


def _stream_rows(pieces: Sequence[Piece], order: tf.Tensor, group_bytes: int) -> tf.data.Dataset:
    """The rows of pieces in some order, in groups of this many bytes of pixels."""
    import tensorflow as tf

    rows = sum(piece.rows for piece in pieces)
    columns = pieces[0].columns
    group_rows = max(1, group_bytes // math.prod(columns[0].shape))

    def read(first: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        stop = tf.minimum(first + group_rows, rows)
        types = [tf.dtypes.as_dtype(column.dtype) for column in columns]
        values = tf.numpy_function(partial(read_rows, pieces), [order, first, stop], types)
        return tuple(tf.ensure_shape(v, (None, *column.shape)) for v, column in zip(values, columns, strict=True))

    # Without tensors in its conditions, a function needs no translation of its source into a graph, which takes long.
    return tf.data.Dataset.range(0, rows, group_rows).map(tf.autograph.experimental.do_not_convert(read))
