"""A TFRecord file -> the position of each record, and runs of consecutive records."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from components.ingest.records.tf_record import find_offsets
from components.ingest.slicing import RowRange
from serving.errors import InputError

if TYPE_CHECKING:
    import tensorflow_datasets as tfds

Offsets = npt.NDArray[np.int64]


class RecordRun(NamedTuple):
    """Consecutive records of a TFRecord file.

    Attributes:
        file: its absolute path.
        first: the index of the first record in the file.
        offset_bytes: the position of the first record.
        records: their number, 1 or more.
    """

    file: str
    first: int
    offset_bytes: int
    records: int


class RecordIndex:
    """The positions of all records of a set; each file is read once."""

    def __init__(self, builder: tfds.core.DatasetBuilder) -> None:
        self._builder = builder
        self._positions = cache(positions)

    def runs(self, block: tuple[RowRange, ...], max_records: int) -> tuple[RecordRun, ...]:
        """The runs of the rows of a block, in order, of `max_records` at most."""
        runs: list[RecordRun] = []
        for source_split, start, stop in block:
            first = 0
            for file in self._builder.info.splits[source_split].file_instructions:
                begin, end = max(start - first, 0), min(stop - first, file.take)
                if begin < end:
                    name = os.path.abspath(file.filename)
                    offsets = self._positions(name, file.take)[begin:end]
                    for at in range(0, len(offsets), max_records):
                        runs.append(RecordRun(name, begin + at, int(offsets[at]), min(max_records, len(offsets) - at)))
                first += file.take
        return tuple(runs)


def positions(file: str, records: int) -> Offsets:
    """The positions of the first records of a TFRecord file, int64 (records,), in bytes; only the lengths are read.

    Raises:
        InputError: the file has fewer records, or cannot be read.
    """
    try:
        offsets = np.fromiter(islice(find_offsets(file), records), np.int64)
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}: make it readable") from error
    if len(offsets) < records:
        raise damaged_error([file], f"{len(offsets):,} records instead of {records:,}")
    return offsets


def damaged_error(files: Iterable[str], reason: str) -> InputError:
    """The error for TFRecord files that are damaged."""
    names = ", ".join(dict.fromkeys(files))
    return InputError(f"{names} cannot be read ({reason}): delete the set's folder and prepare it again")
