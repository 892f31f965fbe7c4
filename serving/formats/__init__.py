"""Predictions -> bytes of a file, block by block: .csv, .npy, .jsonl or .parquet, by the name's ending."""

from __future__ import annotations

from pathlib import Path

from serving.errors import InputError
from serving.formats.format import Columns, Format

SUFFIXES = (".csv", ".npy", ".jsonl", ".parquet")
ENDINGS = f"{', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}"


def format_for(target: Path, columns: Columns) -> Format:
    """The format that the file's name ends in; no other one is imported. Raises: InputError."""
    match target.suffix:
        case ".csv":
            from serving.formats.lines import Csv

            return Csv(columns)
        case ".npy":
            from serving.formats.npy import Npy

            return Npy(columns)
        case ".jsonl":
            from serving.formats.lines import JsonLines

            return JsonLines(columns)
        case ".parquet":
            from serving.formats.parquet import Parquet

            return Parquet(columns)
    raise InputError(f"--out {target} ends in {target.suffix!r}: give a name that ends in {ENDINGS}")
