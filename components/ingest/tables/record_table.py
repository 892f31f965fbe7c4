"""RecordTable: records of tf.Example in a TFRecord or ArrayRecord file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from components.ingest.records.tf_example import NotAnExampleError, features_of, only_value
from components.ingest.records.tf_record import DamagedRecordsError, read_records
from serving.batch.inputs.kinds import other_picture_kind, picture_kind
from serving.batch.inputs.open_file import shown
from serving.batch.tables.table import PICTURES_PER_BATCH, Column, Kind, Read, Table, import_pyarrow, require_no_gaps
from serving.errors import InputError

if TYPE_CHECKING:
    import pyarrow

# In the name of the file: these formats have no first bytes of their own.
TF_RECORD, ARRAY_RECORD = ".tfrecord", ".array_record"


@dataclass(frozen=True, eq=False, kw_only=True)
class RecordTable(Table):
    """Each record is a row; its features with one value are the columns."""

    @classmethod
    def open(cls, path: Path) -> Self:
        """Reads the first record. Raises: InputError: the file is damaged, or holds no tf.Example."""
        unread = cls(path=path, columns=(), class_names={})
        for record in unread._records():
            features = unread._features(record)
            columns = [Column(name, _kind(feature)) for name, feature in sorted(features.items())]
            return cls(path=path, columns=columns, class_names={})
        raise InputError(f"{shown(path)} has no records, or is damaged: give a file with one record for each image")

    def batches(self, reads: Mapping[str, Read]) -> Iterator[pyarrow.RecordBatch]:
        """Yields the records in order, as `Table`."""
        arrow = import_pyarrow()
        records, first_row = self._records(), 0
        while some := [self._features(record) for record in islice(records, PICTURES_PER_BATCH)]:
            columns = [self._column([features.get(name) for features in some], read) for name, read in reads.items()]
            batch = arrow.record_batch(columns, list(reads))
            require_no_gaps(self, batch, first_row)
            yield batch
            first_row += len(batch)

    def _column(self, features: list[Any], read: Read) -> pyarrow.Array:
        arrow = import_pyarrow()
        values = [None if feature is None else only_value(feature) for feature in features]
        if read is Read.BYTES:
            return arrow.array([value if isinstance(value, bytes) else None for value in values], arrow.binary())
        texts = [value.decode("utf-8", "replace") if isinstance(value, bytes) else value for value in values]
        return arrow.array([None if text is None else str(text) for text in texts], arrow.string())

    def _features(self, record: bytes) -> Mapping[str, Any]:
        try:
            return dict(features_of(record))
        except NotAnExampleError as error:
            raise InputError(f"{shown(self.path)} holds records that are not tf.Example: give another form") from error

    def _records(self) -> Iterator[bytes]:
        """Yields the bytes of each record. Raises: InputError: the file is damaged."""
        return self._array_records() if ARRAY_RECORD in self.path.name else self._tf_records()

    def _tf_records(self) -> Iterator[bytes]:
        try:
            yield from read_records(str(self.path))
        except DamagedRecordsError as error:
            raise self.damaged(error) from error

    def _array_records(self) -> Iterator[bytes]:
        try:
            from array_record.python.array_record_module import ArrayRecordReader
        except ModuleNotFoundError as error:
            raise InputError(
                f"{shown(self.path)} needs array_record, which TensorFlow Datasets brings on Linux alone: write "
                "TFRecord files"
            ) from error
        try:
            reader = ArrayRecordReader(str(self.path))
            for start in range(0, reader.num_records(), PICTURES_PER_BATCH):
                stop = min(start + PICTURES_PER_BATCH, reader.num_records())
                yield from reader.read(start, stop)
            reader.close()
        except (RuntimeError, ValueError, IndexError) as error:
            raise self.damaged(error) from error


def is_record_file(path: Path) -> bool:
    """Whether a file's name is one of TFRecord or ArrayRecord files."""
    return TF_RECORD in path.name or ARRAY_RECORD in path.name


def _kind(feature: Any) -> Kind:
    value = only_value(feature)
    if isinstance(value, bytes):
        is_picture = (picture_kind(value[:64]) or other_picture_kind(value[:64])) is not None
        return Kind.PICTURE if is_picture else Kind.TEXT if _is_text(value) else Kind.OTHER
    return Kind.OTHER if value is None else Kind.NUMBER


def _is_text(value: bytes) -> bool:
    try:
        return value.decode().isprintable()
    except UnicodeDecodeError:
        return False
