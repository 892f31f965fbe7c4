"""TarTable: a tar file of pictures and their labels, as WebDataset writes it, or of class folders."""

from __future__ import annotations

import json
import posixpath
import tarfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Self

from serving.batch.folders.picture_walk import SUFFIXES, SYSTEM_FOLDERS
from serving.batch.inputs.open_file import shown
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
PIECE_BYTES = 1 << 16
# The error with which tarfile finds the end of an archive; typeshed has no such name.
END: type[tarfile.HeaderError] = vars(tarfile)["EOFHeaderError"]
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
        depths: dict[int, str] = {}
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
            if CLASS in reads:
                self._require_one_depth(some, depths)
            yield batch
            first_row += len(batch)

    def _require_file(self, member: tarfile.TarInfo) -> None:
        if not member.isfile():
            raise InputError(
                f"{shown(self.path)} holds {member.name}, which is a link or a device without content: pack the files "
                "again with tar --dereference --hard-dereference"
            )

    def _require_one_depth(self, rows: Sequence[Row], depths: dict[int, str]) -> None:
        """Refuses pictures whose classes are folders at different depths; `depths` has one picture of each so far."""
        for row in rows:
            folder, name = posixpath.split(row.get(FILE, b"").decode("utf-8", "replace"))
            if posixpath.basename(folder) == row[CLASS].decode("utf-8", "replace"):
                depths.setdefault(folder.count("/"), f"{folder}/{name}")
        if len(depths) > 1:
            one, two, *_ = depths.values()
            raise InputError(
                f"{shown(self.path)} holds {one} and {two}, whose classes would be folders at different depths: pack "
                "all pictures as <class>/x.png or <split>/<class>/x.png"
            )

    def _rows(self) -> Iterator[Row]:
        """Yields the rows in order. Raises: InputError: the file is damaged, or holds links."""
        row: Row = {}
        before = None
        try:
            with tarfile.open(self.path, "r|*", tarinfo=_Member) as archive:
                for member in archive:
                    folder, name = posixpath.split(member.name)
                    if member.isdir() or name.startswith(".") or set(folder.split("/")) & set(SYSTEM_FOLDERS):
                        continue
                    self._require_file(member)
                    stem, _, ending = name.partition(".")
                    stream = archive.extractfile(member)
                    assert stream is not None
                    values = _values(member.name, ending.lower(), stream.read())
                    # Two pictures are two rows: cat/2024.01.png is not cat/2024.02.png.
                    if row and ((folder, stem) != before or (PICTURE in row and PICTURE in values)):
                        yield _with_class(row)
                        row = {}
                    before = folder, stem
                    row |= values
                _require_end(archive)
            if row:
                yield _with_class(row)
        except (tarfile.TarError, OSError, EOFError, zlib.error, ValueError) as error:
            if isinstance(error, InputError):
                raise
            raise self.damaged(error) from error


class _Member(tarfile.TarInfo):
    """A member. TarFile takes a damaged or missing header for the end of the archive; here it is an error."""

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> Self:
        try:
            return super().fromtarfile(archive)
        except END:
            raise
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(f"{error}, in the place of a member or of the end") from error


def _require_end(archive: tarfile.TarFile) -> None:
    """Refuses content after the end: archives that were joined as files. Raises: tarfile.ReadError."""
    assert archive.fileobj is not None
    while piece := archive.fileobj.read(PIECE_BYTES):
        if piece.strip(b"\0"):
            raise tarfile.ReadError("more content after its end, as of two archives joined as files")


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
            # A value of this name would replace the picture, or its name.
            return {
                name: str(value).encode()
                for name, value in values.items()
                if isinstance(value, str | int | float) and name not in (PICTURE, FILE)
            }
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
