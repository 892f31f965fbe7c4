"""Nightly runs with nothing to do, and clean between them -> what `runs` holds, and the time of the last runs.

`python -m benchmarks.nightly`
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.turns import ratio, take_turns
from serving.arguments.parser import Arguments
from serving.errors import BeamlineError

ROOT = Path(__file__).parents[1]
# Runs whose times are compared: as many of the first as of the last.
COMPARED = 8
# After these nights the contents are printed.
SHOWN = (1, 20, 100, 300, 1000, 3000)


def grow(
    run: Callable[[], object],
    clean: Callable[[], object],
    every: int,
    nights: Sequence[int],
    show: Callable[[int], None],
) -> None:
    """Runs once for each night, cleans after each `every` of them; then shows nights in `SHOWN`, and the last one."""
    for night in nights:
        run()
        if night % every == 0:
            clean()
        if night in SHOWN or night == nights[-1]:
            show(night)


def contents(runs: Path) -> str:
    """The number and the bytes of all files in a folder; a file with several names counts once as bytes."""
    files = [file.stat() for file in runs.rglob("*") if file.is_file()]
    sizes = {file.st_ino: file.st_size for file in files}
    return f"{len(files)} files, {sum(sizes.values()):,} bytes"


def main(arguments: list[str] | None = None) -> int:
    """Runs the command. Returns: 0 done, or the exit code of the error."""
    options = _parser().parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory() as folder:
            _measure(options, Path(folder))
    except BeamlineError as error:
        print(f"benchmarks.nightly: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def _parser() -> Arguments:
    parser = Arguments(
        prog="python -m benchmarks.nightly",
        description="What nightly runs with nothing to do leave, with clean between them, and their times.",
    )
    parser.add_argument("--nights", type=int, default=300, metavar="N", help="number of runs (default: %(default)s)")
    parser.add_argument("--keep", type=int, default=20, metavar="K", help="of clean (default: %(default)s)")
    parser.add_argument(
        "--every", type=int, default=20, metavar="N", help="runs between two cleans (default: %(default)s)"
    )
    return parser


def _measure(options: argparse.Namespace, folder: Path) -> None:
    runs, first = folder / "runs", folder / "first"
    models = folder / "models"
    flags = ["--dataset", "digits", "--data-dir", str(folder / "data"), "--quiet"]

    def run(store: Path = runs) -> float:
        return _timed("run", *flags, "--runs", str(store), "--models", str(models))

    def clean() -> float:
        return _timed("clean", "--keep", str(options.keep), "--runs", str(runs), "--models", str(models))

    def show(night: int) -> None:
        print(f"night {night}: {contents(runs)}", flush=True)

    print(f"first run, which trains: {run():.1f} s; clean --keep {options.keep} after each {options.every} nights")
    # A copy has the first nights later, in turn with the last ones, so that a slow minute affects both.
    shutil.copytree(runs, first)
    grow(run, clean, options.every, range(1, options.nights + 1), show)
    figures = take_turns({"first": lambda: run(first), "last": run}, COMPARED)
    for name, seconds in figures.items():
        low, median, high = min(seconds), statistics.median(seconds), max(seconds)
        print(f"{name} {COMPARED} runs: {median:.2f} s ({low:.2f} to {high:.2f})")
    print(f"last runs / first runs: {ratio(figures['last'], figures['first'])}")


def _timed(command: str, *arguments: str) -> float:
    """The seconds of a command in a process of its own, as cron starts it. Raises: BeamlineError: it failed."""
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", command, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BeamlineError(f"{command} exited with {done.returncode}: {done.stderr[-1000:] or done.stdout[-1000:]}")
    return time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(main())
