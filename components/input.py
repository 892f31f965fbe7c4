"""Examples -> tf.data: batches of rows, streamed from blocks, permuted by seed and epoch alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from components.artifacts.examples import Examples
from serving.errors import BeamlineError

if TYPE_CHECKING:
    import tensorflow as tf

# Rows are permuted within so many bytes of pixels at a time, after the blocks themselves were permuted: MNIST's
# training images are just less. What is being read and what is read next are in memory together.
SHUFFLE_BYTES = 48 << 20
# Rows that stand as they are, are read so many bytes at a time.
READ_BYTES = 8 << 20
# Rows that are gathered at a time: a permuted copy of all that is permuted would double what is in memory.
GATHER_ROWS = 1000
THREADS = 2
# Of the memory of a tensor, in bytes.
ALIGNMENT = 64


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
        rows = _read(pieces, tf.range(len(pieces)), READ_BYTES)
    else:
        rows = tf.data.Dataset.from_tensors(0).flat_map(lambda _: _permuted(pieces, permutation))
    batches = rows.rebatch(batch_size)
    options = tf.data.Options()
    # Autotuning stalled for seconds at the end of a pass in half of the trials, and gains nothing here.
    options.autotune.enabled = False
    options.deterministic = True
    steps = -(-(order.stop - order.start) // batch_size)
    return batches.apply(tf.data.experimental.assert_cardinality(steps)).with_options(options)


def _permuted(pieces: Sequence[Piece], permutation: Permutation) -> tf.data.Dataset:
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
    return _read(pieces, order, SHUFFLE_BYTES).enumerate().flat_map(permute)


@dataclass(frozen=True)
class Piece:
    """Consecutive rows of one block.

    Attributes:
        images: of the block.
        labels: of the block.
        start: first row.
        stop: one past the last row.
    """

    images: Column
    labels: Column
    start: int
    stop: int


@dataclass(frozen=True)
class Column:
    """The values of a .npy file.

    Attributes:
        file: where they are.
        offset_bytes: where the first one stands.
        shape: of one row.
        dtype: of the values.
    """

    file: Path
    offset_bytes: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @classmethod
    def of(cls, file: Path) -> Self:
        """Reads the header."""
        array = np.load(file, mmap_mode="r", allow_pickle=False)
        return cls(file, array.offset, array.shape[1:], array.dtype)

    def read_into(self, values: npt.NDArray[Any], start: int) -> None:
        """Fills an array with rows, from `start` on. Raises: BeamlineError: the file has become shorter."""
        row_bytes = math.prod(self.shape) * self.dtype.itemsize
        with self.file.open("rb", buffering=0) as file:
            file.seek(self.offset_bytes + start * row_bytes)
            if file.readinto(values.reshape(-1).view(np.uint8).data) != values.nbytes:
                raise BeamlineError(f"{self.file} has become shorter: delete its folder and run again")


def _pieces(examples: Examples, split: str, start: int, stop: int) -> list[Piece]:
    """The blocks that hold rows start to stop."""
    pieces = []
    first = 0
    for block in examples.blocks[split]:
        begin, end = max(start - first, 0), min(stop - first, block.rows)
        if begin < end:
            images, labels = (examples.path / name for name in (block.images_file, block.labels_file))
            pieces.append(Piece(Column.of(images), Column.of(labels), begin, end))
        first += block.rows
    return pieces


def _read(pieces: Sequence[Piece], order: tf.Tensor, at_once_bytes: int) -> tf.data.Dataset:
    """The rows of pieces in some order, so many bytes of pixels at a time, each copied once."""
    import tensorflow as tf

    rows = sum(piece.stop - piece.start for piece in pieces)
    columns = (pieces[0].images, pieces[0].labels)
    at_once = max(1, at_once_bytes // math.prod(columns[0].shape))

    def read(first: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        stop = tf.minimum(first + at_once, rows)
        types = [tf.dtypes.as_dtype(column.dtype) for column in columns]
        values = tf.numpy_function(partial(_rows, pieces), [order, first, stop], types)
        return tuple(tf.ensure_shape(v, (None, *column.shape)) for v, column in zip(values, columns, strict=True))

    return tf.data.Dataset.range(0, rows, at_once).map(read)


def _aligned(shape: tuple[int, ...], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """An array of whatever values that TensorFlow takes over as it is; any other one it copies."""
    size = math.prod(shape) * dtype.itemsize
    memory = np.empty(size + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start : start + size].view(dtype).reshape(shape)


def _rows(pieces: Sequence[Piece], order: npt.NDArray[np.int32], first: int, stop: int) -> list[npt.NDArray[Any]]:
    """Rows `first` to `stop` of the pieces, one after the other in this order."""
    columns = (pieces[0].images, pieces[0].labels)
    read = [_aligned((stop - first, *column.shape), column.dtype) for column in columns]
    begins = 0
    for piece in (pieces[number] for number in order):
        begin, end = max(first - begins, 0), min(stop - begins, piece.stop - piece.start)
        if begin < end:
            here = slice(begins + begin - first, begins + end - first)
            for values, column in zip(read, (piece.images, piece.labels), strict=True):
                column.read_into(values[here], piece.start + begin)
        begins += piece.stop - piece.start
    return read
