"""TableSource: images in tables: `--dataset table:PATH`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from components.ingest.digest_cache import content_digest
from components.ingest.folders.picture_plan import picture_fingerprint, plan_pictures
from components.ingest.local_path import existing_path
from components.ingest.read_options import ReadOptions
from components.ingest.read_plan import ReadPlan
from components.ingest.source import LocalSource
from components.ingest.tables.file_names import find_named_pictures
from components.ingest.tables.record_table import is_record_file
from components.ingest.tables.table_files import TableFiles, find_table_files
from components.ingest.tables.table_kinds import open_any_table
from components.ingest.tables.table_plans import plan_packed_pictures, plan_pixels
from components.ingest.tables.unpacked_tables import Tables
from serving.batch.inputs.open_file import shown
from serving.batch.tables.columns import TableColumns, find_columns, listed
from serving.batch.tables.table import Column, Kind, Table
from serving.errors import InputError


@dataclass(frozen=True)
class TableSource(LocalSource):
    """Tables with a label in each row, and its pixels, its picture, or the name of its picture's file.

    Attributes:
        label_column: as in `ReadOptions`.
        image_column: as in `ReadOptions`.
    """

    label_column: str | None = None
    image_column: str | None = None

    def fingerprint(self) -> Mapping[str, str]:
        """The digest of the tables and their names, and of the pictures that they name."""
        files = find_table_files(existing_path(self.path))
        digest = {"content": self._content(files)}
        if _are_records(files):
            return digest
        files, tables, columns = self._open(only_header=True)
        if columns.pixels or columns.picture is not None:
            return digest
        found = find_named_pictures(files.root, tables, columns, self.image_column)
        pictures = picture_fingerprint(found, self.digest_cache)
        return {**digest, **{f"pictures {name}": value for name, value in pictures.items()}}

    def prepare(self) -> None:
        """Checks the columns of the tables, except of records, for which TensorFlow is needed. Raises: InputError."""
        if not _are_records(find_table_files(existing_path(self.path))):
            self._open(only_header=True)

    def plan(self, options: ReadOptions, scratch: Path) -> ReadPlan:
        """Reads the tables, and unpacks their images."""
        files, tables, columns = self._open()
        path, name, version = existing_path(self.path), f"table:{self.name}", self._content(files)[:12]
        if columns.picture is not None:
            return plan_packed_pictures(name, version, path, tables, columns, options, scratch)
        if columns.pixels:
            return plan_pixels(name, version, path, tables, columns, options, scratch)
        found = find_named_pictures(files.root, tables, columns, self.image_column)
        plan = plan_pictures(name, found, options, self.digest_cache)
        # The version of the plan is that of the pictures.
        return replace(plan, version=hashlib.sha256(f"{version} {plan.version}".encode()).hexdigest()[:12])

    def _content(self, files: TableFiles) -> str:
        return content_digest(files.root, files.names, self.digest_cache, existing_path(self.path))

    def _open(self, only_header: bool = False) -> tuple[TableFiles, Tables, TableColumns]:
        """The tables, and their columns, which are the same for all. Raises: InputError: they differ."""
        files = find_table_files(existing_path(self.path))
        tables = {split: [open_any_table(files.root / name) for name in names] for split, names in files.splits.items()}
        every = [table for found in tables.values() for table in found]
        columns = [self._columns(table, only_header) for table in every]
        for table, found in zip(every, columns, strict=True):
            _require_same(every[0], columns[0], table, found)
        return files, tables, columns[0]

    def _columns(self, table: Table, only_header: bool) -> TableColumns:
        """The columns; the user's column of images holds pictures, or else names of files."""
        found = find_columns(table, self.label_column, self.image_column, only_header)
        if self.image_column is None or Column(self.image_column, Kind.PICTURE) in table.columns:
            return found
        return replace(found, picture=None)


def _are_records(files: TableFiles) -> bool:
    return all(is_record_file(files.root / name) for name in files.names)


def _require_same(first: Table, wanted: TableColumns, table: Table, found: TableColumns) -> None:
    """Refuses a table whose columns are not used as those of the first. Raises: InputError: they differ."""
    if replace(found, unused=()) == replace(wanted, unused=()):
        return
    raise InputError(
        f"{shown(first.path)} and {shown(table.path)} have different columns: "
        f"{listed([column.name for column in first.columns])} and {listed([column.name for column in table.columns])}: "
        "give tables of one form, or name the columns with --ingest.label-column and --ingest.image-column"
    )
