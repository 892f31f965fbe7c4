"""Predictions -> a .parquet file, with pyarrow: a table with the columns of the other formats."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from serving.batch.formats.format import Columns, Format, Predictions
from serving.errors import InputError

# The size of a Parquet row group.
GROUP_ROWS = 1 << 17


class Parquet(Format):
    """Writes an Arrow stream, whose blocks are independent, and converts it to a .parquet file at the end."""

    def __init__(self, columns: Columns) -> None:
        super().__init__(columns)
        self._arrow = _arrow()
        self._schema = self._arrow.schema([(name, self._type(name)) for name in columns.names])

    def header(self, rows: int) -> bytes:
        """The stream's schema."""
        return bytes(self._schema.serialize())

    def encode(self, predictions: Predictions) -> bytes:
        """The rows of one block, as one message of the stream."""
        labels, confidences = self.ranked(predictions.scores)
        arrays: list[Any] = [np.arange(predictions.first_index, predictions.first_index + len(labels))]
        if predictions.files is not None:
            arrays.append(predictions.files)
        classes = self._arrow.array(self.columns.classes, self._arrow.string())
        for rank in range(self.columns.top):
            arrays += [labels[:, rank], classes.take(self._arrow.array(labels[:, rank])), confidences[:, rank]]
        if self.columns.probabilities:
            arrays += list(predictions.scores.probabilities.T)
        columns = [self._arrow.array(array, kind) for array, kind in zip(arrays, self._schema.types, strict=True)]
        batch = self._arrow.record_batch(columns, schema=self._schema)
        return bytes(batch.filter(self._arrow.array(predictions.readable)).serialize())

    def finish(self, written: Path, finished: Path) -> Path:
        """Copies the stream into a .parquet file, one row group at a time."""
        import pyarrow.parquet

        with (
            self._arrow.OSFile(str(written)) as stream,
            self._arrow.ipc.open_stream(stream) as batches,
            pyarrow.parquet.ParquetWriter(finished, self._schema) as file,
        ):
            waiting: list[Any] = []
            for batch in batches:
                waiting.append(batch)
                if sum(map(len, waiting)) >= GROUP_ROWS:
                    file.write_table(self._arrow.Table.from_batches(waiting))
                    waiting = []
            file.write_table(self._arrow.Table.from_batches(waiting, self._schema))
        return finished

    def _type(self, name: str) -> Any:
        if name == "index" or name.startswith("label"):
            return self._arrow.int64()
        return self._arrow.string() if name == "file" or name.startswith("class") else self._arrow.float32()


def _arrow() -> ModuleType:
    try:
        import pyarrow
        import pyarrow.ipc
    except ModuleNotFoundError as error:
        raise InputError(
            ".parquet needs pyarrow, which is not installed: pip install pyarrow, or write a .csv"
        ) from error
    module: ModuleType = pyarrow
    return module
