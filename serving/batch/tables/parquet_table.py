"""ParquetTable: a Parquet file, read by pyarrow."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from serving.batch.tables.table import (
    PICTURES_PER_BATCH,
    Column,
    Kind,
    Read,
    Table,
    import_pyarrow,
    require_distinct_columns,
    require_no_gaps,
)

if TYPE_CHECKING:
    import pyarrow
    import pyarrow.parquet

MAGIC = b"PAR1"
# The key in the file's metadata under which the Hugging Face Hub keeps the types of the columns.
HUB_KEY = b"huggingface"
ROWS_PER_BATCH = 4096
BUFFER_BYTES = 1 << 20


@dataclass(frozen=True, eq=False, kw_only=True)
class ParquetTable(Table):
    """Columns with types. The file is opened again for each pass."""

    @classmethod
    def open(cls, path: Path) -> Self:
        """Reads the schema. Raises: InputError: the file is damaged, or names two columns alike."""
        unread = cls(path=path, columns=(), class_names={})
        with _opened(unread) as file:
            schema = file.schema_arrow
        require_distinct_columns(path, schema.names)
        columns = [Column(field.name, _kind(field.type)) for field in schema]
        return cls(path=path, columns=columns, class_names=_declared_classes(schema.metadata or {}))

    def batches(self, reads: Mapping[str, Read]) -> Iterator[pyarrow.RecordBatch]:
        """Yields the rows in order, as `Table`."""
        arrow = import_pyarrow()
        rows = PICTURES_PER_BATCH if Read.BYTES in reads.values() else ROWS_PER_BATCH
        first_row = 0
        with _opened(self) as file:
            try:
                for stored in file.iter_batches(rows, columns=list(reads), use_threads=True):
                    values = [self._read(stored.column(name), name, read) for name, read in reads.items()]
                    batch = arrow.record_batch(values, list(reads))
                    require_no_gaps(self, batch, first_row)
                    yield batch
                    first_row += len(batch)
            except (arrow.ArrowException, OSError) as error:
                raise self.damaged(error) from error

    def _read(self, values: pyarrow.Array, name: str, read: Read) -> pyarrow.Array:
        """The values in the type of `read`."""
        arrow = import_pyarrow()
        if arrow.types.is_dictionary(values.type):
            values = values.dictionary_decode()
        if read is Read.BYTES and arrow.types.is_struct(values.type):
            values = arrow.compute.struct_field(values, "bytes")
        target = {Read.PIXEL: arrow.uint8(), Read.TEXT: arrow.string(), Read.BYTES: arrow.binary()}[read]
        try:
            return values.cast(target)
        except (arrow.ArrowInvalid, arrow.ArrowNotImplementedError) as error:
            raise self.unfit(name, str(error).partition("\n")[0]) from error


def _opened(table: Table) -> pyarrow.parquet.ParquetFile:
    """The open file. With a buffer, a group of rows is not read into memory as a whole."""
    arrow = import_pyarrow()
    from pyarrow.parquet import ParquetFile

    try:
        return ParquetFile(str(table.path), buffer_size=BUFFER_BYTES, pre_buffer=False)
    except (arrow.ArrowException, OSError) as error:
        raise table.damaged(error) from error


def _kind(stored: Any) -> Kind:
    types = import_pyarrow().types
    if types.is_dictionary(stored):
        stored = stored.value_type
    if types.is_integer(stored) or types.is_floating(stored) or types.is_boolean(stored):
        return Kind.NUMBER
    if types.is_string(stored) or types.is_large_string(stored):
        return Kind.TEXT
    holds_bytes = types.is_struct(stored) and any(
        field.name == "bytes" and (types.is_binary(field.type) or types.is_large_binary(field.type)) for field in stored
    )
    return Kind.PICTURE if holds_bytes or types.is_binary(stored) or types.is_large_binary(stored) else Kind.OTHER


def _declared_classes(metadata: Mapping[bytes, bytes]) -> dict[str, tuple[str, ...]]:
    """The class names that the Hub's metadata declare, by column; none if the metadata are of another form."""
    try:
        features = json.loads(metadata[HUB_KEY])["info"]["features"]
        return {
            name: tuple(map(str, feature["names"]))
            for name, feature in features.items()
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel" and feature.get("names")
        }
    except (KeyError, TypeError, ValueError, AttributeError):
        return {}
