"""An open file -> the array in it, .npy or IDX, whose rows are read by position in either order of storage."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from serving.errors import InputError
from serving.inputs import idx, npy
from serving.inputs.layout import Layout
from serving.inputs.open_file import OpenFile

# What files that are often taken for arrays begin with.
OTHER_KINDS = {
    b"\x89PNG\r\n\x1a\n": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"BM": "a BMP picture",
    b"II*\x00": "a TIFF picture",
    b"MM\x00*": "a TIFF picture",
    b"RIFF": "a WebP picture or a sound",
    b"PK\x03\x04": "a zip file, as numpy.savez writes it",
    b"\x80\x02": "a pickle",
    b"\x80\x03": "a pickle",
    b"\x80\x04": "a pickle",
    b"\x80\x05": "a pickle",
    b"\x89HDF": "an HDF5 file",
    b"PAR1": "a Parquet file",
    b"BZh": "packed with bzip2",
    b"\xfd7zXZ": "packed with xz",
}


@dataclass(frozen=True, eq=False)
class ArrayFile:
    """An array in a file.

    Attributes:
        origin: the file that was given.
        data: where the values stand: the same, or what was unpacked from it.
        layout: how they stand there; only `require_whole` says that they do.
    """

    origin: OpenFile
    data: OpenFile
    layout: Layout

    @property
    def rows(self) -> int:
        """The first extent."""
        return self.layout.shape[0]

    @property
    def path(self) -> Path:
        """The file that was given."""
        return self.origin.path

    @property
    def name(self) -> str:
        """Its path as messages show it."""
        return self.origin.name

    def require_whole(self) -> None:
        """Refuses a file that has not exactly the bytes that its header claims. Raises: InputError."""
        found, claimed = self.data.size_bytes - self.layout.offset_bytes, self.layout.values_bytes
        if found != claimed:
            raise InputError(
                f"{self.name} has {found:,} bytes of values, its header says {claimed:,} for shape "
                f"{self.layout.shape}: it was cut or added to; write it again"
            )

    def read_into(self, values: npt.NDArray[np.generic], start: int) -> None:
        """Reads rows.

        Args:
            values: of the file's type, contiguous, one row or more of the file's, in whatever shape.
            start: the first row.

        Raises:
            InputError: the file became shorter.
        """
        if self.layout.fortran:
            self._read_columns(values, start)
        else:
            row_bytes = math.prod(self.layout.shape[1:]) * self.layout.dtype.itemsize
            self.data.read_into(_bytes(values), self.layout.offset_bytes + start * row_bytes)

    def _read_columns(self, values: npt.NDArray[np.generic], start: int) -> None:
        """Reads rows that stand as the rows of the transposed array: all first pixels, then all second ones, ..."""
        shape, itemsize = self.layout.shape, self.layout.dtype.itemsize
        count = len(values)
        columns = np.empty((math.prod(shape[1:]), count), self.layout.dtype)
        if count == self.rows:
            self.data.read_into(_bytes(columns), self.layout.offset_bytes)
        else:
            for pixel, column in enumerate(columns):
                place = (pixel * self.rows + start) * itemsize
                self.data.read_into(_bytes(column), self.layout.offset_bytes + place)
        values.reshape(count, *shape[1:])[...] = columns.reshape(*shape[:0:-1], count).T


def is_array(head: bytes) -> bool:
    """Whether a file with these first bytes is taken for an array; its header may still be damaged."""
    return head.startswith((npy.MAGIC, idx.MAGIC, idx.GZIP_MAGIC))


def open_array(file: OpenFile, what: str) -> ArrayFile:
    """Finds the array in a file by its first bytes.

    Args:
        file: .npy, IDX or IDX packed with gzip, whatever its name.
        what: it is to hold, in the plural, for messages.

    Raises:
        InputError: another kind of file, or its header is damaged.
    """
    head = file.head(max(npy.HEAD_BYTES, idx.HEAD_BYTES))
    try:
        if head.startswith(npy.MAGIC):
            return ArrayFile(file, file, npy.read_layout(head))
    except ValueError as error:
        raise InputError(f"{file.name} is not a .npy file ({error}): save the {what} with numpy.save") from error
    try:
        if head.startswith(idx.GZIP_MAGIC):
            data = idx.unpack(file)
            return ArrayFile(file, data, idx.read_layout(data.head(idx.HEAD_BYTES)))
        if head.startswith(idx.MAGIC):
            return ArrayFile(file, file, idx.read_layout(head))
    except ValueError as error:
        raise InputError(f"{file.name} is no IDX file of bytes ({error}): save the {what} with numpy.save") from error
    raise InputError(
        f"{file.name} is not a .npy file or an IDX file, but {_kind(head)}: save the {what} with numpy.save"
    )


def _kind(head: bytes) -> str:
    if not head:
        return "empty"
    found = (kind for magic, kind in OTHER_KINDS.items() if head.startswith(magic))
    return next(found, f"begins with {head[:8]!r}")


def _bytes(values: npt.NDArray[np.generic]) -> memoryview:
    return values.reshape(-1).view(np.uint8).data
