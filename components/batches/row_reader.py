"""Examples -> arrays: rows of a split, read from the blocks' files and copied once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from components.artifacts.examples import Examples
from serving.errors import BeamlineError

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
        array = np.load(file, mmap_mode="r", allow_pickle=False)
        return cls(file, array.offset, array.shape[1:], array.dtype)

    def read_into(self, values: npt.NDArray[Any], start: int) -> None:
        """Fills an array with the rows from `start` on. Raises: BeamlineError: the file is too short."""
        row_bytes = math.prod(self.shape) * self.dtype.itemsize
        with self.file.open("rb", buffering=0) as file:
            file.seek(self.offset_bytes + start * row_bytes)
            if file.readinto(values.reshape(-1).view(np.uint8).data) != values.nbytes:
                raise BeamlineError(f"{self.file} is shorter than when it was written: delete its folder and run again")


@dataclass(frozen=True)
class Piece:
    """Consecutive rows of one block.

    Attributes:
        columns: images and labels of the block.
        start: first row.
        stop: one past the last row.
    """

    columns: tuple[Column, Column]
    start: int
    stop: int

    @property
    def rows(self) -> int:
        """The number of rows."""
        return self.stop - self.start


def find_pieces(examples: Examples, split: str, start: int, stop: int) -> list[Piece]:
    """The rows `start` to `stop` - 1 of a split, as pieces of its blocks."""
    pieces = []
    for first, block in examples.placed_blocks(split):
        begin, end = max(start - first, 0), min(stop - first, block.rows)
        if begin < end:
            images, labels = (examples.path / name for name in (block.images_file, block.labels_file))
            pieces.append(Piece((Column.of(images), Column.of(labels)), begin, end))
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
                column.read_into(values[here], piece.start + begin)
        offset += piece.rows
    return read


def _aligned(shape: tuple[int, ...], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """An uninitialised array that TensorFlow uses without a copy, because its memory is aligned."""
    size = math.prod(shape) * dtype.itemsize
    memory = np.empty(size + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start : start + size].view(dtype).reshape(shape)
