"""TarTable: a tar file of pictures and their labels, as WebDataset writes it, or of class folders."""

from __future__ import annotations

import json
import posixpath
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Self

from serving.batch.folders.picture_walk import SUFFIXES, SYSTEM_FOLDERS
from serving.batch.tables.table import PICTURES_PER_BATCH, Column, Kind, Read, Table, import_pyarrow, require_no_gaps
from serving.errors import InputError

if TYPE_CHECKING:
    import pyarrow

# The position of these bytes in the header of the first member.
MAGIC, MAGIC_OFFSET = b"ustar", 257
# The columns of a member's path: the whole, and the names of its folder and of the folder above.
FILE, CLASS, SPLIT = "file", "class", "split"
# Number of rows that tell the columns.
SAMPLED_ROWS = 100
PICTURE = "picture"
# A row: the values of its columns, as they are in the file.
Row = dict[str, bytes]


@dataclass(frozen=True, eq=False, kw_only=True)
class TarTable(Table):
    """Members with the same path up to the first dot of their name are one row; their endings are its columns.

    The picture's column is `picture`, and its path is the column `file`. A member `.json` gives a column for each of
    its values. If no member of a row is a label, then the picture's folder is its class.
    """

    file_column: str | None = FILE

    @classmethod
    def open(cls, path: Path) -> Self:
        """Reads the first rows. Raises: InputError: the file is damaged."""
        unread = cls(path=path, columns=(), class_names={})
        rows = list(islice(unread._rows(), SAMPLED_ROWS))
        names = dict.fromkeys(name for row in rows for name in row)
        columns = [Column(name, Kind.PICTURE if name == PICTURE else Kind.TEXT) for name in names]
        return cls(path=path, columns=columns, class_names={})

    def batches(self, reads: Mapping[str, Read]) -> Iterator[pyarrow.RecordBatch]:
        """Yields the rows in order, as `Table`."""
        arrow = import_pyarrow()
        rows, first_row = self._rows(), 0
        while some := list(islice(rows, PICTURES_PER_BATCH)):
            columns = [arrow.array([row.get(name) for row in some], arrow.binary()) for name in reads]
            try:
                texts = [
                    column if read is Read.BYTES else column.cast(arrow.string())
                    for column, read in zip(columns, reads.values(), strict=True)
                ]
            except arrow.ArrowInvalid as error:
                raise self.damaged(error) from error
            batch = arrow.record_batch(texts, list(reads))
            require_no_gaps(self, batch, first_row)
            yield batch
            first_row += len(batch)

    def _rows(self) -> Iterator[Row]:
        """Yields the rows in order. Raises: InputError: the file is damaged."""
        row: Row = {}
        before = None
        try:
            with tarfile.open(self.path, "r|*") as archive:
                for member in archive:
                    folder, name = posixpath.split(member.name)
                    if not member.isfile() or name.startswith(".") or set(folder.split("/")) & set(SYSTEM_FOLDERS):
                        continue
                    stem, _, ending = name.partition(".")
                    if row and (folder, stem) != before:
                        yield _with_class(row)
                        row = {}
                    before = folder, stem
                    stream = archive.extractfile(member)
                    assert stream is not None
                    row |= _values(member.name, ending.lower(), stream.read())
            if row:
                yield _with_class(row)
        except (tarfile.TarError, OSError, EOFError, zlib.error, ValueError) as error:
            if isinstance(error, InputError):
                raise
            raise self.damaged(error) from error


def is_tar(head: bytes) -> bool:
    """Whether the first 512 bytes of a file, unpacked, are the header of a member."""
    return head[MAGIC_OFFSET:].startswith(MAGIC)


def _values(path: str, ending: str, content: bytes) -> Row:
    """The columns that a member gives."""
    if f".{ending}".endswith(SUFFIXES):
        return {PICTURE: content, FILE: path.encode("utf-8", "surrogateescape")}
    if ending == "json":
        values = json.loads(content)
        if isinstance(values, dict):
            return {name: str(value).encode() for name, value in values.items() if isinstance(value, str | int | float)}
    return {ending or "without an ending": content.strip()}


def _with_class(row: Row) -> Row:
    """The row; with the names of the picture's folders, if it has no other values."""
    if set(row) != {PICTURE, FILE}:
        return row
    *above, _ = row[FILE].decode("utf-8", "replace").split("/")
    folders = [name for name in above if name != "."][-2:]
    if folders:
        row[CLASS] = folders[-1].encode()
    if len(folders) == 2:
        row[SPLIT] = folders[0].encode()
    return row
