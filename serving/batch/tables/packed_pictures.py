"""PackedPictures: many pictures in one file, each read by its position."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from serving.batch.inputs.encoded_pictures import EncodedPictures
from serving.batch.inputs.open_file import OpenFile, adopt
from serving.batch.tables.pixel_rows import unpack_error
from serving.batch.tables.table import Read, Table
from serving.errors import InputError
from serving.resize import require_picture_libraries

if TYPE_CHECKING:
    import pyarrow

# Of each picture: the position of its first byte, and the number of bytes.
Places = npt.NDArray[np.int64]


class PictureBatch(NamedTuple):
    """Some rows of a table: the bytes of each picture, and other columns as text, by name."""

    contents: list[bytes]
    texts: dict[str, pyarrow.Array]


def picture_batches(table: Table, picture: str, texts: Iterable[str]) -> Iterator[PictureBatch]:
    """Yields the rows of a table in order, some at a time. Raises: InputError: as `Table.batches`."""
    texts = list(texts)
    for batch in table.batches({picture: Read.BYTES, **dict.fromkeys(texts, Read.TEXT)}):
        yield PictureBatch(batch.column(picture).to_pylist(), {name: batch.column(name) for name in texts})


class PictureWriter:
    """Appends pictures to a file, and keeps their places."""

    def __init__(self, file: IO[bytes]) -> None:
        """Takes an empty file."""
        self._file = file
        self._sizes: list[npt.NDArray[np.int64]] = []

    def append(self, contents: list[bytes]) -> None:
        """Writes pictures, one or more. Raises: OSError."""
        self._file.write(b"".join(contents))
        self._sizes.append(np.fromiter(map(len, contents), np.int64, len(contents)))

    @property
    def places(self) -> Places:
        """int64 (n, 2): where each picture is, in bytes."""
        sizes = np.concatenate([np.empty(0, np.int64), *self._sizes])
        return np.stack([np.cumsum(sizes) - sizes, sizes], axis=1)


@dataclass(frozen=True, eq=False, kw_only=True)
class PackedPictures(EncodedPictures):
    """Pictures in one file.

    Attributes:
        files: the path of each picture within the file; empty if it has none.
        origin: the file that the user named.
        data: the file with the bytes of the pictures: the same, or a temporary one.
        places: int64 (n, 2): position and size of each picture in `data`, in bytes.
    """

    files: Sequence[str]
    origin: OpenFile
    data: OpenFile
    places: Places

    def content(self, row: int) -> bytes:
        """The bytes of a picture. Raises: InputError: the file became shorter."""
        offset, size = self.places[row].tolist()
        content = bytearray(size)
        self.data.read_into(memoryview(content), offset)
        return bytes(content)

    def name(self, row: int) -> str:
        """The file, and the row or the picture's path in it."""
        return f"{self.origin.name}, {f'row {row:,}' if not self.files else self.files[row]},"

    def names(self, start: int, stop: int) -> list[str]:
        """The path of each picture within the file, or else the file."""
        return list(self.files[start:stop]) if self.named else [self.origin.name] * (stop - start)

    def require_unchanged(self) -> None:
        """Refuses a file that was modified since it was opened. Raises: InputError."""
        self.origin.require_unchanged()


def open_packed_pictures(file: OpenFile, table: Table, picture: str, skip_bad: bool) -> PackedPictures:
    """Copies the pictures of a table into an unnamed temporary file, in the folder that TMPDIR names.

    A table gives its rows only in order, but several threads score them.

    Raises: InputError: as `Table.batches`; the disk is full; or the libraries for pictures are not installed.
    """
    require_picture_libraries("pictures")
    files: list[str] = []
    try:
        with tempfile.TemporaryFile() as target:
            writer = PictureWriter(target)
            for batch in picture_batches(table, picture, [table.file_column] if table.file_column else []):
                writer.append(batch.contents)
                for names in batch.texts.values():
                    files += names.to_pylist()
            target.flush()
            data = adopt(file.path, os.dup(target.fileno()))
    except OSError as error:
        raise unpack_error(file.path, error) from error
    file.require_unchanged()
    places = writer.places
    if not len(places):
        raise InputError(f"{file.name} has no rows: give a table with one row for each image")
    return PackedPictures(
        rows=len(places),
        paths=(file.path,),
        named=table.file_column is not None,
        size_bytes=file.size_bytes,
        mtime_ns=file.mtime_ns,
        sha256=file.sha256,
        skip_bad=skip_bad,
        files=files,
        origin=file,
        data=data,
        places=places,
    )
