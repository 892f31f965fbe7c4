"""A file -> the table in it, of every kind that is trained on."""

from __future__ import annotations

import codecs
from pathlib import Path

from components.ingest.tables.json_table import JsonTable
from components.ingest.tables.record_table import RecordTable, is_record_file
from serving.batch.inputs.kinds import describe_kind, pointer
from serving.batch.inputs.open_file import open_file
from serving.batch.tables import open_table
from serving.batch.tables.table import Table
from serving.errors import InputError


def open_any_table(path: Path) -> Table:
    """Opens a table, and reads the names of its columns. Raises: InputError: it is not a table, or is damaged."""
    file = open_file(path)
    head = file.head(open_table.HEAD_BYTES)
    if is_record_file(path):
        return RecordTable.open(path)
    if head.removeprefix(codecs.BOM_UTF8).lstrip()[:1] in (b"{", b"["):
        return JsonTable.open(path)
    if open_table.is_table(path, head):
        return open_table.open_table(path)
    if (where := pointer(head)) is not None:
        raise InputError(f"{file.name} is {where}")
    raise InputError(
        f"{file.name} is not a table, but {describe_kind(head)}: give CSV, Parquet, JSON with an object for each "
        "image, a tar file, or records of tf.Example"
    )
