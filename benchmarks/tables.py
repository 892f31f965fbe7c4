"""Tables of images -> the rate of ingest, its ratios to pyarrow and to a folder of the same pictures, and its memory.

`python -m benchmarks.tables`
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.pictures import Case, ingest_seconds, memory_in_process, seconds_of, write_folder
from benchmarks.turns import ratio, take_turns
from components import ingest
from serving.arguments.parser import Arguments
from serving.errors import BeamlineError
from serving.machine import peak_memory_bytes

ROUNDS = 9
ROWS = 60_000
SIDE = 28
# The memory is measured with this many times the rows, too.
LARGER = 10
# Rows of a part of a CSV file while it is written.
PART_ROWS = 2_000


def main(arguments: list[str] | None = None) -> int:
    """Runs the command. Returns: 0 done, or the exit code of the error."""
    parser = Arguments(
        prog="python -m benchmarks.tables",
        description="Rows per second of ingest after the imports, ratios to peers, and the peak memory.",
    )
    parser.add_argument("--rows", type=int, default=ROWS, metavar="N", help="default: %(default)s")
    parser.add_argument("--memory-of", type=Path, metavar="FILE", help="ingest FILE in this process, print the MB")
    options = parser.parse_args(arguments)
    os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3"}
    try:
        if options.memory_of is not None:
            ingest_seconds(ingest.Params(dataset="table:file"), options.memory_of)
            print(json.dumps(peak_memory_bytes() / 1e6))
        else:
            _compare(options)
    except BeamlineError as error:
        print(f"benchmarks.tables: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def write_csv(path: Path, rows: int) -> None:
    """Writes random pixels and labels, with names of columns, as MNIST is often found."""
    random = np.random.default_rng(1)
    with path.open("w") as file:
        print("label", *(f"pixel{number}" for number in range(SIDE**2)), sep=",", file=file)
        for start in range(0, rows, PART_ROWS):
            part = random.integers(0, 256, (min(PART_ROWS, rows - start), 1 + SIDE**2))
            part[:, 0] %= 10
            file.writelines(",".join(map(str, row)) + "\n" for row in part.tolist())


def write_parquet(folder: Path, path: Path) -> None:
    """Writes the pictures of class folders as bytes in one column, in small groups of rows as the Hub has them."""
    import pyarrow
    import pyarrow.parquet

    files = sorted(folder.rglob("*.png"))
    labels = [int(file.parent.name.split()[-1]) for file in files]
    table = pyarrow.table({"image": [file.read_bytes() for file in files], "label": labels})
    pyarrow.parquet.write_table(table, path, row_group_size=100)


def _compare(options: argparse.Namespace) -> None:
    import apache_beam  # noqa: F401

    with tempfile.TemporaryDirectory() as name:
        folder, pixels, pictures = Path(name, "pictures"), Path(name, "pixels.csv"), Path(name, "pictures.parquet")
        write_csv(pixels, options.rows)
        _print("CSV of pixels", options.rows, _csv_works(pixels, options.rows), "pyarrow's own reading")
        _print_memory("CSV of pixels", pixels, lambda path: write_csv(path, LARGER * options.rows))
        write_folder(Case("pictures", "png", options.rows, SIDE, 1), folder)
        write_parquet(folder, pictures)
        works = {
            "ours": lambda: options.rows / ingest_seconds(ingest.Params(dataset="table:file"), pictures),
            "peer": lambda: options.rows / ingest_seconds(ingest.Params(dataset="folder:pictures"), folder),
        }
        _print("Parquet of PNG", options.rows, works, "the same pictures in folders")
        _print_memory("Parquet of PNG", pictures, lambda path: _repeat_parquet(pictures, path))


def _csv_works(path: Path, rows: int) -> dict[str, Callable[[], float]]:
    from pyarrow import csv

    return {
        "ours": lambda: rows / ingest_seconds(ingest.Params(dataset="table:file"), path),
        "peer": lambda: rows / seconds_of(lambda: csv.read_csv(path)),
    }


def _repeat_parquet(source: Path, path: Path) -> None:
    from pyarrow import parquet

    table = parquet.read_table(source)
    with parquet.ParquetWriter(path, table.schema) as writer:
        for _ in range(LARGER):
            writer.write_table(table, row_group_size=100)


def _print(name: str, rows: int, works: dict[str, Callable[[], float]], peer: str) -> None:
    # The first round fills the file system's cache.
    rates = {work: figures[1:] for work, figures in take_turns(works, 1 + ROUNDS).items()}
    ours = rates["ours"]
    spread = f"{statistics.median(ours):,.0f} rows/s ({min(ours):,.0f} to {max(ours):,.0f})"
    print(f"{name}, {rows:,} rows: {spread}; {ratio(ours, rates['peer'])} times {peer}", flush=True)


def _print_memory(name: str, path: Path, write_larger: Callable[[Path], None]) -> None:
    larger = path.with_name(f"larger{path.suffix}")
    write_larger(larger)
    small, large = (memory_in_process("benchmarks.tables", file) for file in (path, larger))
    larger.unlink()
    print(f"{name}: peak memory {small:,.0f} MB, with {LARGER} times the rows {large:,.0f} MB", flush=True)


if __name__ == "__main__":
    sys.exit(main())
