"""CsvTable: a file of text with a line for each row, plain or packed with gzip, read by pyarrow."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Self

from serving.batch.inputs.idx import GZIP_MAGIC
from serving.batch.inputs.open_file import open_file, shown
from serving.batch.tables.table import (
    BATCH_BYTES,
    Column,
    Kind,
    Read,
    Table,
    import_pyarrow,
    require_distinct_columns,
    require_no_gaps,
)
from serving.errors import InputError

if TYPE_CHECKING:
    import pyarrow

DELIMITERS = ",;\t"
# Number of rows that tell which columns hold numbers.
SAMPLED_ROWS = 100


@dataclass(frozen=True, eq=False, kw_only=True)
class CsvTable(Table):
    """Values that are separated by commas, semicolons or tabs.

    Attributes:
        delimiter: one character.
        packed: whether the file is packed with gzip.
    """

    delimiter: str
    packed: bool

    @classmethod
    def open(cls, path: Path) -> Self:
        """Reads the first lines. Raises: InputError: it is not text, has no lines, or names two columns alike."""
        packed = open_file(path).head(len(GZIP_MAGIC)) == GZIP_MAGIC
        lines = _first_lines(path, packed)
        first_line = lines.partition("\n")[0]
        delimiter = max(DELIMITERS, key=first_line.count)
        found = (row for row in csv.reader(io.StringIO(lines), delimiter=delimiter) if row)
        try:
            rows = list(islice(found, SAMPLED_ROWS))
        except csv.Error as error:
            raise InputError(
                f"{shown(path)} is not a table of text ({error}): look for a quotation mark that is not closed"
            ) from error
        if not rows:
            raise InputError(f"{shown(path)} is empty: give a table with one row for each image")
        has_header = not _are_values(rows[0])
        names = rows[0] if has_header else [str(position) for position in range(len(rows[0]))]
        require_distinct_columns(path, names)
        # The last line may be incomplete.
        sample = rows[int(has_header) : -1] or rows[int(has_header) :]
        kinds = [Kind.NUMBER if _all_numbers(sample, position) else Kind.TEXT for position in range(len(names))]
        columns = tuple(map(Column, names, kinds))
        return cls(
            path=path, columns=columns, has_header=has_header, class_names={}, delimiter=delimiter, packed=packed
        )

    def batches(self, reads: Mapping[str, Read]) -> Iterator[pyarrow.RecordBatch]:
        """Yields the rows in order, as `Table`."""
        arrow = import_pyarrow()
        from pyarrow.csv import ConvertOptions, ParseOptions, ReadOptions, open_csv

        types = {Read.PIXEL: arrow.uint8(), Read.TEXT: arrow.string(), Read.BYTES: arrow.binary()}
        names = [column.name for column in self.columns]
        first_row = 0
        try:
            with (
                arrow.input_stream(str(self.path), compression="gzip" if self.packed else None) as stream,
                open_csv(
                    stream,
                    ReadOptions(block_size=BATCH_BYTES, column_names=names, skip_rows=int(self.has_header)),
                    ParseOptions(delimiter=self.delimiter, newlines_in_values=not _only_pixels(reads)),
                    ConvertOptions(
                        column_types={name: types[read] for name, read in reads.items()}, include_columns=list(reads)
                    ),
                ) as batches,
            ):
                for batch in batches:
                    require_no_gaps(self, batch, first_row)
                    yield batch
                    first_row += len(batch)
        except arrow.ArrowInvalid as error:
            raise self._explained(error, names) from error
        except OSError as error:
            raise self.damaged(error) from error

    def _explained(self, error: Exception, names: Sequence[str]) -> InputError:
        """The error of pyarrow, with the column's name instead of its position."""
        text = str(error)
        position, marker, reason = text.removeprefix("In CSV column #").partition(": CSV conversion error to ")
        if marker and position.isdecimal():
            fault = reason.partition(": ")[2]
            return self.unfit(names[int(position)], fault, self._row_of(int(position), fault))
        return self.damaged(error)

    def _row_of(self, position: int, fault: str) -> int | None:
        """The first row with the value that a message of pyarrow quotes; None if it is not found."""
        value = fault.partition("'")[2].removesuffix("'")
        opened = gzip.open if self.packed else open
        with opened(self.path, "rt", encoding="utf-8-sig", errors="replace", newline="") as lines:
            rows = (row for row in csv.reader(lines, delimiter=self.delimiter) if row)
            for number, row in enumerate(rows):
                if position < len(row) and row[position].strip() == value:
                    return number - int(self.has_header)
        return None


def _only_pixels(reads: Mapping[str, Read]) -> bool:
    """Whether no value can hold the end of a line; the blocks of other tables are not cut so quickly."""
    return sum(read is not Read.PIXEL for read in reads.values()) <= 1 < len(reads)


def _first_lines(path: Path, packed: bool) -> str:
    arrow = import_pyarrow()
    try:
        most = BATCH_BYTES if packed else min(BATCH_BYTES, path.stat().st_size)
        with arrow.input_stream(str(path), compression="gzip" if packed else None) as stream:
            content: bytes = stream.read(most)
        text = content.decode("utf-8-sig", "strict" if len(content) < BATCH_BYTES else "ignore")
    except (OSError, ValueError) as error:
        raise InputError(f"{shown(path)} is not a table of text in UTF-8 ({error}): save it as one") from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _are_values(row: Sequence[str]) -> bool:
    """Whether a first line holds values: all numbers, but not 0, 1, 2 …, with which pandas names columns."""
    return all(map(_is_number, row)) and not (len(row) > 2 and row == [str(number) for number in range(len(row))])


def _all_numbers(rows: Sequence[Sequence[str]], position: int) -> bool:
    """Whether the values of a column are numbers, or missing; at least one is there."""
    values = [row[position] for row in rows if position < len(row) and row[position]]
    return bool(values) and all(map(_is_number, values))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
