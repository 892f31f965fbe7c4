"""Rows of a set that cannot be used -> a list of all, and one sentence with totals and examples."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from serving.batch.decoding.picture_error import OTHER_SIZE, TRANSPARENT, PictureError
from serving.batch.inputs.open_file import shown
from serving.errors import InputError

# If more than this fraction of a set is bad, leaving it out is not proposed as a remedy.
MAX_SKIPPED = 0.1
# Number of rows of each kind that a sentence names.
MAX_NAMED = 3


class BadRow(NamedTuple):
    """A row that cannot be used; rows are sorted by file and record.

    Attributes:
        file: below the set's folder.
        record: the index of the record in the file; -1 if the file is the row.
        row: the row's index in its block.
        kind: of the fault, as it follows a number.
        fact: what is wrong, as the end of a sentence that starts with the row's name.
        advice: what to do about rows of this kind.
    """

    file: str
    record: int
    row: int
    kind: str
    fact: str
    advice: str

    @property
    def name(self) -> str:
        """The file, and the record if there are several."""
        return self.file if self.record < 0 else f"{self.file} record {self.record:,}"


def bad_row(file: str, record: int, row: int, error: PictureError, image_shape: tuple[int, int, int]) -> BadRow:
    """The row of a picture that cannot be decoded; the advice names the options of ingest that help."""
    height, width, _ = image_shape
    options = {
        OTHER_SIZE: f"correct it, or resize all with --ingest.resize {height} {width}",
        TRANSPARENT: "save it on a background, or lay it on one, also in scoring, with --ingest.background white",
    }
    fact = error.fact
    if error.kind == OTHER_SIZE:
        fact = fact.replace("the model takes", "the most frequent size is")
    return BadRow(file, record, row, error.kind, fact, options.get(error.kind, error.advice))


def count_kinds(rows: Sequence[BadRow]) -> Mapping[str, int]:
    """The number of rows of each kind, the most frequent kind first."""
    counts = Counter(row.kind for row in rows)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def as_csv(rows: Sequence[BadRow]) -> str:
    """A line for each row: file, record, kind and reason; the record is empty if the file is the row."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("file", "record", "kind", "reason"))
    for row in rows:
        writer.writerow((row.file, "" if row.record < 0 else row.record, row.kind, f"{row.fact}: {row.advice}"))
    return text.getvalue()


def describe(rows: Sequence[BadRow]) -> str:
    """The number of rows of each kind, and the first of each kind with their faults and the advice."""
    parts = []
    for kind, count in count_kinds(rows).items():
        of_kind = [row for row in rows if row.kind == kind]
        named = "; ".join(f"{row.name} {row.fact}" for row in of_kind[:MAX_NAMED])
        more = f"; and {count - MAX_NAMED:,} more" if count > MAX_NAMED else ""
        parts.append(f"{count:,} {kind} ({named}{more}: {of_kind[0].advice})")
    return ", ".join(parts)


def refusal(place: str, rows: Sequence[BadRow], total: int, empty: Sequence[str], listed: Path | None) -> InputError:
    """The refusal of a set.

    Args:
        place: the set, as the user named it.
        rows: those that cannot be used, one or more, sorted.
        total: the number of all rows that were read.
        empty: the splits in which no row can be used.
        listed: the file that lists the rows; None if there is none.
    """
    where = "" if listed is None else f"; {shown(listed)} lists all"
    few = len(rows) <= total * MAX_SKIPPED
    skip = f"; to leave them out, give --ingest.skip-bad {len(rows)}" if few else ""
    left = f"; no image of {' and '.join(empty)} is left" if empty else skip
    return InputError(f"{place}: {len(rows):,} of {total:,} images cannot be used: {describe(rows)}{where}{left}")
