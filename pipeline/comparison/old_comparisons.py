"""runs/comparisons -> the files of comparisons whose runs `clean` drops: their pages would link to removed cards."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from serving.codec import FormatError, read
from serving.files import entries


@dataclass(frozen=True)
class _ComparedRun:
    IGNORES_UNKNOWN: ClassVar = True
    run: str | None


@dataclass(frozen=True)
class _ComparedRuns:
    IGNORES_UNKNOWN: ClassVar = True
    entries: tuple[_ComparedRun, ...]


def comparisons_with_runs(runs: Path, dropped: Collection[str]) -> Iterator[Path]:
    """The files of all comparisons with a dropped run, except the last record: its number is not given again."""
    records = [file for file in entries(runs / "comparisons") if file.suffix == ".json" and file.stem.isdigit()]
    newest = max(records, key=lambda file: int(file.stem), default=None)
    for record in records:
        try:
            compared = read(_ComparedRuns, record).entries
        except (OSError, FormatError):
            continue
        if any(entry.run in dropped for entry in compared):
            # The record is the last one: without it, the others would never be found again.
            files = sorted(record.parent.glob(f"{record.stem}.*"), key=lambda file: (file == record, file))
            yield from (file for file in files if file != newest)
