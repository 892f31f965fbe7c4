"""Tables of each split -> their images in plain files in the scratch folder, and their labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from components.artifacts.npy_writer import NpyWriter
from components.ingest.tables.label_values import LabelledClasses, LabelValues
from components.ingest.tables.table_files import split_of
from serving.batch.folders.picture_header import PictureHeader, parse_header
from serving.batch.inputs.open_file import shown
from serving.batch.tables.columns import TableColumns
from serving.batch.tables.packed_pictures import PictureWriter, Places, picture_batches
from serving.batch.tables.pixel_rows import pixel_batches
from serving.batch.tables.table import Table, import_pyarrow
from serving.errors import InputError

if TYPE_CHECKING:
    import pyarrow

Tables = Mapping[str, Sequence[Table]]


class UnpackedPixels(NamedTuple):
    """The .npy file of the images of each split, uint8 (n, pixels), and the labels of all rows."""

    files: dict[str, Path]
    classes: LabelledClasses


class SplitPictures(NamedTuple):
    """The pictures of a split, as bytes in one file.

    Attributes:
        file: absolute.
        places: int64 (n, 2): position and size of each picture in the file.
        headers: the header of each picture; None if it cannot be read.
    """

    file: Path
    places: Places
    headers: list[PictureHeader | None]


class UnpackedPictures(NamedTuple):
    """The pictures of each split, and the labels of all rows."""

    splits: dict[str, SplitPictures]
    classes: LabelledClasses


def unpack_pixels(path: Path, tables: Tables, columns: TableColumns, scratch: Path) -> UnpackedPixels:
    """Reads each table once, in pieces. Raises: InputError: as `Table.batches`; or the disk is full."""
    label, texts = _texts(columns)
    values = LabelValues(path, label)
    with _Files(scratch, ".npy") as files:
        writers: dict[str, NpyWriter] = {}
        for split, table in _each(tables):
            for batch in pixel_batches(table, columns.pixels, texts):
                for name, rows in _parts(split, batch.texts, columns.split):
                    if name not in writers:
                        writers[name] = NpyWriter(files.create(name))
                    writers[name].append(batch.pixels[rows])
                    values.add(name, batch.texts[label].filter(import_pyarrow().array(rows)))
        for writer in writers.values():
            writer.finish()
    _require_rows(path, tables, writers, columns)
    return UnpackedPixels(files.paths, values.classes(_declared(tables, label)))


def unpack_pictures(path: Path, tables: Tables, columns: TableColumns, scratch: Path) -> UnpackedPictures:
    """Reads each table once, in pieces. Raises: InputError: as `Table.batches`; or the disk is full."""
    assert columns.picture is not None
    label, texts = _texts(columns)
    values = LabelValues(path, label)
    headers: dict[str, list[PictureHeader | None]] = {}
    # Most pictures have the same header: it is in memory once.
    known: dict[PictureHeader | None, PictureHeader | None] = {}
    with _Files(scratch, ".pictures") as files:
        writers: dict[str, PictureWriter] = {}
        for split, table in _each(tables):
            for batch in picture_batches(table, columns.picture, texts):
                for name, rows in _parts(split, batch.texts, columns.split):
                    if name not in writers:
                        writers[name] = PictureWriter(files.create(name))
                    contents = [content for content, taken in zip(batch.contents, rows, strict=True) if taken]
                    writers[name].append(contents)
                    found = map(_header, contents)
                    headers.setdefault(name, []).extend(known.setdefault(header, header) for header in found)
                    values.add(name, batch.texts[label].filter(import_pyarrow().array(rows)))
    _require_rows(path, tables, writers, columns)
    splits = {name: SplitPictures(files.paths[name], writer.places, headers[name]) for name, writer in writers.items()}
    return UnpackedPictures(splits, values.classes(_declared(tables, label)))


def _texts(columns: TableColumns) -> tuple[str, list[str]]:
    """The label's column, and all columns that are read as text."""
    assert columns.label is not None
    return columns.label, [columns.label, *([] if columns.split is None else [columns.split])]


def _each(tables: Tables) -> Iterator[tuple[str, Table]]:
    return ((split, table) for split, found in tables.items() for table in found)


def _parts(
    split: str, texts: Mapping[str, pyarrow.Array], column: str | None
) -> Iterator[tuple[str, npt.NDArray[np.bool_]]]:
    """The rows of each split in a batch, as a mask: those of the table's split, or by the column's values."""
    if column is None:
        yield split, np.ones(len(next(iter(texts.values()))), np.bool_)
        return
    values = np.array(texts[column].to_pylist(), object)
    for value in dict.fromkeys(values.tolist()):
        yield split_of(value) or value, values == value


def _declared(tables: Tables, label: str) -> tuple[str, ...] | None:
    """The class names that tables declare for their label. Raises: InputError: two declare different ones."""
    every = [table for found in tables.values() for table in found if label in table.class_names]
    for table in every:
        if table.class_names[label] != every[0].class_names[label]:
            raise InputError(
                f"{shown(every[0].path)} and {shown(table.path)} declare different class names for {label}, so that a "
                "number has two meanings: write both with the same names in one order"
            )
    return every[0].class_names[label] if every else None


def _header(content: bytes) -> PictureHeader | None:
    try:
        return parse_header(content)
    except ValueError:
        return None


def _require_rows(path: Path, tables: Tables, written: Mapping[str, Any], columns: TableColumns) -> None:
    empty = [split for split in tables if split not in written and columns.split is None]
    if empty or not written:
        raise InputError(
            f"{shown(path)}: the tables of the split {empty[0] if empty else 'train'} have no rows: add some"
        )


class _Files:
    """Files in the scratch folder, one for each split, closed at the end."""

    def __init__(self, scratch: Path, suffix: str) -> None:
        self._scratch, self._suffix = scratch.absolute(), suffix
        self._stack = ExitStack()
        self.paths: dict[str, Path] = {}

    def __enter__(self) -> _Files:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        try:
            self._stack.close()
        except OSError as closing:
            error = error or closing
        if isinstance(error, OSError):
            raise InputError(
                f"{shown(self._scratch)} has no space for the images of the tables: {error.strerror}: free some, or "
                "give another folder with --runs"
            ) from error

    def create(self, split: str) -> IO[bytes]:
        """A new file; splits may have any name."""
        self.paths[split] = self._scratch / f"{len(self.paths):03d}{self._suffix}"
        return self._stack.enter_context(self.paths[split].open("wb"))
