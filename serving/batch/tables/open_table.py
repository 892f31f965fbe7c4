"""A file -> the table in it, known by its first bytes."""

from __future__ import annotations

import codecs
import gzip
import zlib
from pathlib import Path

from serving.batch.inputs.idx import GZIP_MAGIC
from serving.batch.tables import parquet_table
from serving.batch.tables.csv_table import DELIMITERS, CsvTable
from serving.batch.tables.parquet_table import ParquetTable
from serving.batch.tables.table import Table
from serving.batch.tables.tar_table import TarTable, is_tar

# Control characters other than the ends of lines and tabs are not in text.
NOT_TEXT = frozenset(range(32)) - set(b"\t\r\n")
HEAD_BYTES = 512


def is_table(path: Path, head: bytes, one_column: bool = False) -> bool:
    """Whether a file starts as a table does: Parquet, tar, or text with values between commas, semicolons or tabs.

    Args:
        path: the file.
        head: its first bytes, HEAD_BYTES if it has that many.
        one_column: whether lines of text with one value each are a table too.
    """
    if head.startswith(parquet_table.MAGIC):
        return True
    if head.startswith(GZIP_MAGIC):
        head = _unpacked_head(path)
    if is_tar(head):
        return True
    return bool(head) and _is_text(head) and (one_column or any(mark.encode() in head for mark in DELIMITERS))


def open_table(path: Path) -> Table:
    """Opens a table, and reads the names and types of its columns. Raises: InputError: it is none, or damaged."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if head.startswith(parquet_table.MAGIC):
        return ParquetTable.open(path)
    if is_tar(_unpacked_head(path) if head.startswith(GZIP_MAGIC) else head):
        return TarTable.open(path)
    return CsvTable.open(path)


def _is_text(head: bytes) -> bool:
    """Whether bytes are UTF-8 without control characters; the last character may be incomplete."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return not NOT_TEXT & set(head)


def _unpacked_head(path: Path) -> bytes:
    try:
        with gzip.open(path) as stream:
            return stream.read(HEAD_BYTES)
    except (OSError, EOFError, zlib.error):
        return b""
