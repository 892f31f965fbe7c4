"""Predictions -> bytes of a file, block by block: .csv, .npy, .jsonl or .parquet, by the ending of the name."""

from __future__ import annotations

from pathlib import Path

from serving.batch.formats.format import Columns, Format
from serving.out_path import join_suffixes, suffix_error

SUFFIXES = (".csv", ".npy", ".jsonl", ".parquet")
ENDINGS = join_suffixes(SUFFIXES)


def format_for(target: Path, columns: Columns) -> Format:
    """The format of the name's ending; no other format is imported. Raises: InputError."""
    match target.suffix:
        case ".csv":
            from serving.batch.formats.lines import Csv

            return Csv(columns)
        case ".npy":
            from serving.batch.formats.npy import Npy

            return Npy(columns)
        case ".jsonl":
            from serving.batch.formats.lines import JsonLines

            return JsonLines(columns)
        case ".parquet":
            from serving.batch.formats.parquet import Parquet

            return Parquet(columns)
    raise suffix_error(target, SUFFIXES)
