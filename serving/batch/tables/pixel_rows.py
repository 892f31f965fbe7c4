"""The columns of pixels of a table -> images, and an array of them in a plain file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from serving.batch.inputs.array_file import ArrayFile
from serving.batch.inputs.array_images import ArrayImages
from serving.batch.inputs.layout import Layout
from serving.batch.inputs.open_file import OpenFile, adopt
from serving.batch.tables.columns import TableColumns
from serving.batch.tables.table import Read, Table
from serving.errors import InputError

if TYPE_CHECKING:
    import pyarrow


@dataclass(frozen=True, eq=False)
class PixelBatch:
    """Some rows of a table: pixels, uint8 (m, pixels), 0 to 255, and other columns as text, by name."""

    pixels: npt.NDArray[np.uint8]
    texts: dict[str, pyarrow.Array]


def pixel_batches(table: Table, pixels: Sequence[str], texts: Sequence[str]) -> Iterator[PixelBatch]:
    """Yields the rows of a table in order, some at a time. Raises: InputError: as `Table.batches`."""
    reads = {**dict.fromkeys(pixels, Read.PIXEL), **dict.fromkeys(texts, Read.TEXT)}
    for batch in table.batches(reads):
        values = np.empty((len(batch), len(pixels)), np.uint8)
        for position, name in enumerate(pixels):
            values[:, position] = batch.column(name).to_numpy()
        yield PixelBatch(values, {name: batch.column(name) for name in texts})


def open_pixel_images(file: OpenFile, table: Table, columns: TableColumns) -> ArrayImages:
    """Reads the pixels of a table into an unnamed temporary file, in the folder that TMPDIR names.

    Raises: InputError: as `Table.batches`; or the disk is full.
    """
    rows = 0
    try:
        with tempfile.TemporaryFile() as target:
            for batch in pixel_batches(table, columns.pixels, ()):
                target.write(batch.pixels.data)
                rows += len(batch.pixels)
            target.flush()
            data = adopt(file.path, os.dup(target.fileno()))
    except OSError as error:
        raise unpack_error(file.path, error) from error
    file.require_unchanged()
    # The columns do not tell the shape, so images stay flattened, and cannot be resized.
    array = ArrayFile(file, data, Layout((rows, len(columns.pixels)), np.dtype(np.uint8), 0))
    array.require_whole()
    return ArrayImages(
        rows=rows,
        paths=(file.path,),
        named=False,
        size_bytes=file.size_bytes,
        mtime_ns=file.mtime_ns,
        sha256=file.sha256,
        file=array,
    )


def unpack_error(path: Path, error: OSError) -> InputError:
    """The error of a table whose images cannot be written to the temporary folder."""
    return InputError(
        f"{path} cannot be unpacked: {error.strerror}: set TMPDIR to a folder with enough space for its images"
    )
