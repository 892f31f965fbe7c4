"""An open file -> its array, .npy, .npz or IDX, whose rows are read by position, in C or Fortran order."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from serving.batch.inputs import idx, npy, npz
from serving.batch.inputs.kinds import HEAD_BYTES, describe_kind, pointer
from serving.batch.inputs.layout import Layout
from serving.batch.inputs.open_file import OpenFile
from serving.errors import InputError


@dataclass(frozen=True, eq=False)
class ArrayFile:
    """An array in a file.

    Attributes:
        origin: the file that the user named.
        data: the file with the values: the same file, or its decompressed content.
        layout: the layout of the values; `require_whole` checks it against the file's size.
    """

    origin: OpenFile
    data: OpenFile
    layout: Layout

    @property
    def rows(self) -> int:
        """The number of rows: the first extent."""
        return self.layout.shape[0]

    @property
    def name(self) -> str:
        """The path as messages show it."""
        return self.origin.name

    def require_whole(self) -> None:
        """Refuses a file whose size differs from its header. Raises: InputError."""
        found, claimed = self.data.size_bytes - self.layout.offset_bytes, self.layout.values_bytes
        if found != claimed:
            raise InputError(
                f"{self.name} has {found:,} bytes of values, its header says {claimed:,} for shape "
                f"{self.layout.shape}: write it again"
            )

    def read_into(self, values: npt.NDArray[np.generic], start: int) -> None:
        """Fills `values` with the rows from `start` on. Raises: InputError: the file became shorter.

        The values have the file's type, are contiguous, and have any shape with a whole number of rows.
        """
        if self.layout.fortran:
            self._read_columns(values, start)
        else:
            row_bytes = math.prod(self.layout.shape[1:]) * self.layout.dtype.itemsize
            self.data.read_into(_bytes(values), self.layout.offset_bytes + start * row_bytes)

    def _read_columns(self, values: npt.NDArray[np.generic], start: int) -> None:
        """Reads rows of the transposed array: the file has all first pixels, then all second pixels, ..."""
        shape, itemsize = self.layout.shape, self.layout.dtype.itemsize
        count = len(values)
        columns = np.empty((math.prod(shape[1:]), count), self.layout.dtype)
        if count == self.rows:
            self.data.read_into(_bytes(columns), self.layout.offset_bytes)
        else:
            for pixel, column in enumerate(columns):
                position = (pixel * self.rows + start) * itemsize
                self.data.read_into(_bytes(column), self.layout.offset_bytes + position)
        values.reshape(count, *shape[1:])[...] = columns.reshape(*shape[:0:-1], count).T


def is_array(head: bytes) -> bool:
    """Whether a file starts as an array does; its header may still be damaged."""
    return head.startswith((npy.MAGIC, idx.MAGIC, idx.GZIP_MAGIC))


def open_array(file: OpenFile, what: str) -> ArrayFile:
    """Finds the array in a file by its first bytes.

    Args:
        file: .npy, .npz with one array, IDX or IDX compressed with gzip; its name does not matter.
        what: the expected content, in the plural, for messages.

    Raises: InputError: the file is of another kind, or its header is damaged.
    """
    head = file.head(max(npy.HEAD_BYTES, idx.HEAD_BYTES, HEAD_BYTES))
    try:
        if head.startswith(npy.MAGIC):
            return ArrayFile(file, file, npy.read_layout(head))
        if head.startswith(idx.MAGIC):
            return ArrayFile(file, file, idx.read_layout(head))
        if head.startswith(idx.GZIP_MAGIC):
            data = idx.unpack(file)
            return ArrayFile(file, data, idx.read_layout(data.head(idx.HEAD_BYTES)))
        if head.startswith(npz.MAGIC):
            data = npz.unpack(file, what)
            return ArrayFile(file, data, npy.read_layout(data.head(npy.HEAD_BYTES)))
    except ValueError as error:
        kind = "a .npy file" if head.startswith(npy.MAGIC) else "an IDX file of bytes"
        raise InputError(f"{file.name} is not {kind} ({error}): save the {what} with numpy.save") from error
    if (where := pointer(head)) is not None:
        raise InputError(f"{file.name} is {where}")
    kind = describe_kind(head)
    raise InputError(f"{file.name} is not a .npy or IDX file, but {kind}: save the {what} with numpy.save")


def _bytes(values: npt.NDArray[np.generic]) -> memoryview:
    return values.reshape(-1).view(np.uint8).data
