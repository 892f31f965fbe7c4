"""Examples -> arrays: rows of a split, read from the blocks' files and copied once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from io import RawIOBase
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from components.artifacts.examples import Examples
from serving.batch.inputs.npy import HEAD_BYTES, read_layout
from serving.errors import BeamlineError

# int64 (m,): indices of rows.
Rows = npt.NDArray[np.int64]
# Rows that are not consecutive are read together with those between them, up to this many bytes at a time: one call for
# each row takes several times as long for small images.
SPAN_BYTES = 1 << 20
# Of a tensor's memory, in bytes.
ALIGNMENT = 64


@dataclass(frozen=True)
class Column:
    """The rows of one .npy file.

    Attributes:
        file: the file's path.
        offset_bytes: the offset of the first row in the file.
        shape: the shape of one row.
        dtype: the type of the values.
    """

    file: Path
    offset_bytes: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @classmethod
    def of(cls, file: Path) -> Self:
        """Reads the file's header."""
        with file.open("rb") as opened:
            layout = read_layout(opened.read(HEAD_BYTES))
        return cls(file, layout.offset_bytes, layout.shape[1:], layout.dtype)

    def read_into(self, values: npt.NDArray[Any], rows: Rows) -> None:
        """Fills an array with some rows, one or more, rising. Raises: BeamlineError: the file is too short."""
        row_bytes = math.prod(self.shape) * self.dtype.itemsize
        spans = rows // max(1, SPAN_BYTES // row_bytes)
        starts = np.concatenate([[0], np.flatnonzero(np.diff(spans)) + 1, [len(rows)]]).tolist()
        with self.file.open("rb", buffering=0) as file:
            for start, stop in pairwise(starts):
                part, first = values[start:stop], int(rows[start])
                count = int(rows[stop - 1]) - first + 1
                file.seek(self.offset_bytes + first * row_bytes)
                if count == stop - start:
                    self._fill(file, part)
                    continue
                span = np.empty((count, *self.shape), self.dtype)
                self._fill(file, span)
                np.take(span, rows[start:stop] - first, axis=0, out=part, mode="clip")

    def _fill(self, file: RawIOBase, values: npt.NDArray[Any]) -> None:
        if file.readinto(values.reshape(-1).view(np.uint8).data) != values.nbytes:
            raise BeamlineError(f"{self.file} is shorter than when it was written: delete its folder and run again")


@dataclass(frozen=True, eq=False)
class Piece:
    """Rows of one block.

    Attributes:
        columns: images and labels of the block.
        chosen: the rows in the block, rising.
    """

    columns: tuple[Column, Column]
    chosen: Rows

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(self.chosen)


def find_pieces(examples: Examples, split: str, rows: Rows | None = None) -> list[Piece]:
    """Rows of a split, rising, as pieces of its blocks; None means all of them."""
    pieces = []
    for first, block in examples.placed_blocks(split):
        if rows is None:
            chosen = np.arange(block.rows)
        else:
            start, stop = np.searchsorted(rows, [first, first + block.rows])
            chosen = rows[start:stop] - first
        if len(chosen):
            images, labels = (examples.path / name for name in (block.images_file, block.labels_file))
            pieces.append(Piece((Column.of(images), Column.of(labels)), chosen))
    return pieces


def read_rows(pieces: Sequence[Piece], order: npt.NDArray[np.int32], first: int, stop: int) -> list[npt.NDArray[Any]]:
    """Rows `first` to `stop` - 1 of the concatenated pieces: images (stop - first, h, w, c) and labels (stop - first,).

    The pieces have equal shapes and types; `order`, int32 (pieces,), is the order in which they are concatenated.
    """
    read = [_aligned((stop - first, *column.shape), column.dtype) for column in pieces[0].columns]
    offset = 0
    for piece in (pieces[index] for index in order):
        begin, end = max(first - offset, 0), min(stop - offset, piece.rows)
        if begin < end:
            here = slice(offset + begin - first, offset + end - first)
            for values, column in zip(read, piece.columns, strict=True):
                column.read_into(values[here], piece.chosen[begin:end])
        offset += piece.rows
    return read


def _aligned(shape: tuple[int, ...], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """An uninitialised array that TensorFlow uses without a copy, because its memory is aligned."""
    size = math.prod(shape) * dtype.itemsize
    memory = np.empty(size + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start : start + size].view(dtype).reshape(shape)
