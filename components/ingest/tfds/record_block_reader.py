"""RecordBlockReader: reads one block from the TFRecord files of a prepared set."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import numpy as np

from components.ingest.bad_rows import BadRow, bad_row
from components.ingest.folders.picture_pool import map_parts
from components.ingest.read_plan import BlockReader, Images, Labels, Part, part_without
from components.ingest.records.tf_example import NotAnExampleError, features_of, only_value
from components.ingest.records.tf_record import DamagedRecordsError, read_records
from components.ingest.tfds.record_encoding import RecordEncoding
from components.ingest.tfds.record_files import RecordRun, damaged_error
from serving.batch.decoding.many_pictures import decode_all
from serving.batch.decoding.picture_error import PictureError

Value = TypeVar("Value", bytes, int)
# The index in a run, and the error, of each image that cannot be used.
Errors = list[tuple[int, PictureError]]


@dataclass(frozen=True)
class RecordBlockReader(BlockReader):
    """Records of one block.

    Attributes:
        runs: runs of records, in order; each run is decoded in one call.
        encoding: how images and labels are stored in the records.
        small: whether the records have few bytes on average.
    """

    runs: tuple[RecordRun, ...]
    encoding: RecordEncoding
    small: bool

    def read_parts(self) -> Iterator[Part]:
        """Decodes the records of each run: images, uint8 (m, h, w, c), and labels, int64 (m,)."""
        rows = sum(run.records for run in self.runs)
        done = 0
        parts = map_parts(partial(_decode_run, self.encoding), self.runs, self.small)
        try:
            for run, (pixels, labels, errors) in zip(self.runs, parts, strict=True):
                yield part_without(pixels, labels, [i for i, _ in errors], self._bad_rows(run, done, errors))
                done += len(labels)
        except (DamagedRecordsError, NotAnExampleError) as error:
            raise damaged_error([run.file for run in self.runs], str(error)) from error
        if done != rows:
            raise damaged_error([run.file for run in self.runs], f"{done:,} records instead of {rows:,}")

    def _bad_rows(self, run: RecordRun, first_row: int, errors: Errors) -> list[BadRow]:
        file, shape = os.path.basename(run.file), self.encoding.image_shape
        return [bad_row(file, run.first + i, first_row + i, error, shape) for i, error in errors]


def _decode_run(encoding: RecordEncoding, run: RecordRun) -> tuple[Images, Labels, Errors]:
    """Images and labels of all records of a run, and the index and error of each one that cannot be used.

    The scorer's decoder refuses what it would have to convert.
    """
    contents: list[bytes] = []
    labels: list[int] = []
    for index, record in enumerate(read_records(run.file, run.offset_bytes, run.records), start=run.first):
        features = features_of(record)
        contents.append(_value(bytes, features, encoding.image_key, index))
        labels.append(_value(int, features, encoding.label_key, index))
    images = np.empty((len(contents), *encoding.image_shape), np.uint8)
    errors = decode_all(contents, images, encoding.resize is not None, encoding.background)
    return images, np.array(labels, np.int64), errors


def _value(kind: type[Value], features: Mapping[str, Any], key: str, index: int) -> Value:
    value = only_value(features[key]) if key in features else None
    if not isinstance(value, kind):
        raise DamagedRecordsError(f"record {index} has no single value of {key!r}")
    return value
