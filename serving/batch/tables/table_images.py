"""A table to score -> the source of its images."""

from __future__ import annotations

from serving.batch.inputs.open_file import OpenFile
from serving.batch.tables.columns import find_columns, listed
from serving.batch.tables.open_table import open_table
from serving.batch.tables.packed_pictures import open_packed_pictures
from serving.batch.tables.pixel_rows import open_pixel_images
from serving.blocks import Source
from serving.errors import InputError


def open_table_images(file: OpenFile, skip_bad: bool) -> Source:
    """Reads the images of a table; its label, if it has one, is not read.

    Raises: InputError: the table holds neither pixels nor pictures, or is damaged.
    """
    table = open_table(file.path)
    columns = find_columns(table)
    if columns.picture is not None:
        return open_packed_pictures(file, table, columns.picture, skip_bad)
    if not columns.pixels:
        raise InputError(
            f"{file.name} has the columns {listed([column.name for column in table.columns])}, and neither pixels "
            "(pixel0, pixel1, …) nor pictures as bytes: give the pictures themselves, or a table that holds them"
        )
    return open_pixel_images(file, table, columns)
