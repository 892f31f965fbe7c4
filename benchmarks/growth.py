"""Images, repeated with noise -> time and memory of ingest, analyze and one epoch of training, by the number of images.

`python -m benchmarks.growth images.npy images.labels.npy`
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from components.artifacts.artifact import Artifact
from components.artifacts.examples import SPLITS, Examples
from components.ingest.read_plan import BlockReader, Part, ReadPlan
from serving.arguments.parser import Arguments
from serving.errors import BeamlineError, InputError

ROOT = Path(__file__).parents[1]
BLOCK_ROWS = 10_000
# The test set has 1 of this many rows.
TEST_FRACTION = 7
TRAIN = {"hidden": (128, 128), "epochs": 1, "batch_size": 1000}


@dataclass(frozen=True)
class PerturbedBlockReader(BlockReader):
    """Rows of an endless data set: the given images repeated, each time with other noise.

    Attributes:
        images_file: .npy, uint8 (n, h, w, c) or (n, h, w).
        labels_file: .npy, int64 (n,).
        start: the first row.
        rows: number of rows.
    """

    images_file: Path
    labels_file: Path
    start: int
    rows: int

    def read_parts(self) -> Iterator[Part]:
        """Replaces the lowest three bits of every pixel by noise, so that no two images are equal."""
        images = np.load(self.images_file, mmap_mode="r")
        chosen = np.arange(self.start, self.start + self.rows) % len(images)
        pixels = images[chosen].reshape(self.rows, *(*images.shape[1:], 1)[:3])
        noise = np.random.Generator(np.random.SFC64(self.start)).bytes(pixels.size)
        noisy = pixels ^ (np.frombuffer(noise, np.uint8).reshape(pixels.shape) & 7)
        yield Part(noisy, np.load(self.labels_file)[chosen])


def plan(images_file: Path, labels_file: Path, rows: int) -> ReadPlan:
    """A data set with this number of rows."""
    shape = np.load(images_file, mmap_mode="r").shape[1:]
    names = tuple(map(str, range(int(np.load(labels_file).max()) + 1)))
    readers = []
    trained = rows - rows // TEST_FRACTION
    for split, (first, stop) in zip(SPLITS, ((0, trained), (trained, rows)), strict=True):
        for index, start in enumerate(range(first, stop, BLOCK_ROWS)):
            readers.append(
                PerturbedBlockReader(split, index, images_file, labels_file, start, min(BLOCK_ROWS, stop - start))
            )
    return ReadPlan("perturbed", "1", names, (*shape, 1)[:3], tuple(readers))


def measure(images_file: Path, labels_file: Path, rows: int) -> dict[str, float]:
    """The seconds and the peak memory (MB) of each step in this process, after the libraries are imported."""
    import apache_beam  # noqa: F401
    import tensorflow as tf  # noqa: F401

    from components import analyze, train, transform
    from components.artifacts.anomalies import Anomalies
    from components.beam import BeamOptions
    from components.ingest.decode import write_examples

    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:

        def timed(step: str, make: Callable[[Path], Artifact]) -> Artifact:
            out = Path(folder, step)
            out.mkdir()
            started = time.perf_counter()
            made = make(out)
            figures[step] = time.perf_counter() - started
            figures[f"{step} peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            return made

        data = plan(images_file, labels_file, rows)
        examples = timed("ingest", lambda out: write_examples(data, BeamOptions(), out))
        assert isinstance(examples, Examples)
        statistics = timed("analyze", lambda out: analyze.run(examples, BeamOptions(), out))
        anomalies = Anomalies(path=Path(folder), found=(), checked=())
        transformed = transform.run(statistics, anomalies, transform.Params(), Path(folder))
        timed("train", lambda out: train.run(examples, transformed, train.Params(**TRAIN), out))
    return figures


def main(arguments: list[str] | None = None) -> int:
    """Runs the command. Returns: 0 done, or the exit code of the error."""
    options = _parser().parse_args(arguments)
    try:
        if options.one is not None:
            print(json.dumps(measure(options.images.resolve(), options.labels.resolve(), options.one)))
        else:
            _compare(options)
    except BeamlineError as error:
        print(f"benchmarks.growth: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def _parser() -> Arguments:
    parser = Arguments(
        prog="python -m benchmarks.growth",
        description="Time and memory of ingest, analyze and an epoch of training, by the number of images.",
    )
    parser.add_argument("images", type=Path, help=".npy, uint8; they are repeated with noise")
    parser.add_argument("labels", type=Path, help=".npy, int64")
    parser.add_argument("--rows", type=int, nargs="+", default=[70_000, 700_000, 7_000_000], metavar="N")
    parser.add_argument("--one", type=int, metavar="N", help="measure N images in this process, and print JSON")
    return parser


def _compare(options: argparse.Namespace) -> None:
    found: dict[int, dict[str, float]] = {}
    for rows in options.rows:
        found[rows] = _measure_in_process(options, rows)
        figures = ", ".join(
            f"{name} {value:,.0f} {'MB' if 'peak' in name else 's'}" for name, value in found[rows].items()
        )
        print(f"{rows:,} images: {figures}", flush=True)
    for few, many in zip(options.rows, options.rows[1:], strict=False):
        times = {step: found[many][step] / found[few][step] / (many / few) for step in ("ingest", "analyze", "train")}
        factors = ", ".join(f"{step} {factor:.2f}" for step, factor in times.items())
        print(f"from {few:,} to {many:,} images, ratio of seconds to linear growth: {factors}")
    first, last = (found[rows]["train peak"] for rows in (options.rows[0], options.rows[-1]))
    print(f"peak memory of {options.rows[-1]:,} images: {last - first:+,.0f} MB against {options.rows[0]:,}")


def _measure_in_process(options: argparse.Namespace, rows: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.growth", options.images, options.labels, "--one", rows]
    # TensorFlow reads the number of threads of the recipe once, at its start.
    done = subprocess.run(
        list(map(str, command)),
        cwd=ROOT,
        env={**os.environ, "TF_NUM_INTRAOP_THREADS": "2", "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise InputError(f"the measurement of {rows:,} images exited with {done.returncode}: {done.stderr[-1000:]}")
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


if __name__ == "__main__":
    sys.exit(main())
