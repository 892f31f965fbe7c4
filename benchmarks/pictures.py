"""Folders of pictures -> the rate of ingest, its ratio to Keras's reader of folders, and its peak memory.

`python -m benchmarks.pictures`
"""

from __future__ import annotations

import argparse
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.turns import ratio, take_turns
from components import ingest
from components.beam import BeamOptions
from components.run_context import RunContext
from serving.arguments.parser import Arguments
from serving.errors import BeamlineError, InputError
from serving.machine import peak_memory_bytes

ROOT = Path(__file__).parents[1]
ROUNDS = 9
CLASSES = 4
# As many pictures as differ; the others are copies of their bytes under other names.
DISTINCT = 500
PEER_BATCH = 32


@dataclass(frozen=True)
class Case:
    """A folder of pictures and how it is read.

    Attributes:
        name: for the printed line.
        kind: the file's suffix, `jpg` or `png`.
        pictures: their number.
        side: of each picture, in pixels.
        channels: 1 or 3.
        resize: the side after resizing; None keeps it.
    """

    name: str
    kind: str
    pictures: int
    side: int
    channels: int
    resize: int | None = None

    @property
    def params(self) -> ingest.Params:
        """What ingest is asked for."""
        return ingest.Params(dataset="folder:pictures", resize=None if self.resize is None else (self.resize,) * 2)


CASES = (
    Case("JPEG 256×256 to 128×128", "jpg", 4_000, 256, 3, 128),
    Case("JPEG 256×256", "jpg", 4_000, 256, 3),
    Case("PNG 28×28 grey", "png", 20_000, 28, 1),
)
LARGE = Case("JPEG 224×224", "jpg", 20_000, 224, 3)


def draw(random: np.random.Generator, side: int, channels: int) -> npt.NDArray[np.uint8]:
    """A picture with areas, details and noise, as in a photograph: uint8 (side, side, channels)."""
    from PIL import Image

    coarse, fine = (
        np.asarray(
            Image.fromarray(random.integers(0, 256, (cells, cells, 3), np.uint8)).resize(
                (side, side), Image.Resampling.BICUBIC
            )
        ).astype(np.int16)
        for cells in (9, max(9, side // 4))
    )
    noisy = coarse + (fine - 128) // 4 + random.integers(-6, 7, coarse.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)[..., :channels]


def write_folder(case: Case, root: Path) -> None:
    """Writes the pictures of a case into a folder for each class."""
    from PIL import Image

    random = np.random.default_rng(1)
    contents = []
    for _ in range(min(DISTINCT, case.pictures)):
        image = draw(random, case.side, case.channels)
        stream = io.BytesIO()
        kind, options = ("JPEG", {"quality": 85}) if case.kind == "jpg" else ("PNG", {})
        Image.fromarray(image[..., 0] if case.channels == 1 else image).save(stream, kind, **options)
        contents.append(stream.getvalue())
    for row in range(case.pictures):
        folder = root / f"class {row % CLASSES}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{row:06d}.{case.kind}").write_bytes(contents[row % len(contents)])


def main(arguments: list[str] | None = None) -> int:
    """Runs the command. Returns: 0 done, or the exit code of the error."""
    options = _parser().parse_args(arguments)
    os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3"}
    try:
        if options.memory_of is not None:
            print(json.dumps(_peak_memory_mb(options.memory_of)))
        else:
            _compare(options)
    except BeamlineError as error:
        print(f"benchmarks.pictures: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def _parser() -> Arguments:
    parser = Arguments(
        prog="python -m benchmarks.pictures",
        description="Pictures per second of ingest after the imports, the ratio to Keras, and the peak memory.",
    )
    parser.add_argument("--fraction", type=float, default=1.0, metavar="F", help="of the pictures; default: all")
    parser.add_argument("--memory-of", type=Path, metavar="FOLDER", help="ingest FOLDER in this process, print the MB")
    return parser


def _compare(options: argparse.Namespace) -> None:
    import apache_beam  # noqa: F401
    import keras  # noqa: F401

    with tempfile.TemporaryDirectory() as folder:
        for case in CASES:
            root = Path(folder, case.name)
            rows = _write_part(case, root, options.fraction)
            _print_rates(case, rows, take_turns(_works(case, root, rows), 1 + ROUNDS))
        rows = _write_part(LARGE, Path(folder, LARGE.name), options.fraction)
        peak = memory_in_process("benchmarks.pictures", Path(folder, LARGE.name))
        print(f"{LARGE.name}, {rows:,} pictures: peak memory {peak:,.0f} MB")


def _write_part(case: Case, root: Path, fraction: float) -> int:
    rows = max(4 * CLASSES, int(case.pictures * fraction))
    write_folder(Case(case.name, case.kind, rows, case.side, case.channels), root)
    return rows


def _print_rates(case: Case, rows: int, found: dict[str, list[float]]) -> None:
    # The first round fills the file system's cache.
    rates = {name: figures[1:] for name, figures in found.items()}
    ours = rates["ours"]
    spread = f"{statistics.median(ours):,.0f} pictures/s ({min(ours):,.0f} to {max(ours):,.0f})"
    times = f"{ratio(ours, rates['peer'])} times Keras's image_dataset_from_directory"
    print(f"{case.name}, {rows:,} pictures: {spread}; {times}", flush=True)


def _works(case: Case, root: Path, rows: int) -> dict[str, Callable[[], float]]:
    """The step ingest, which also hashes files and writes blocks; Keras's reader, which only decodes and resizes."""
    import keras

    side = case.resize or case.side

    def peer() -> None:
        images = keras.utils.image_dataset_from_directory(
            root,
            image_size=(side, side),
            color_mode="grayscale" if case.channels == 1 else "rgb",
            batch_size=PEER_BATCH,
            shuffle=False,
            verbose=False,
        )
        for _ in images:
            pass

    return {"ours": lambda: rows / ingest_seconds(case.params, root), "peer": lambda: rows / seconds_of(peer)}


def ingest_seconds(params: ingest.Params, root: Path) -> float:
    """Ingests a folder or file. Returns: the seconds, without those in which its output is deleted again."""
    with tempfile.TemporaryDirectory() as folder:
        return seconds_of(lambda: ingest.run(params, RunContext(source=root), BeamOptions(), Path(folder)))


def seconds_of(work: Callable[[], object]) -> float:
    """The seconds that a piece of work takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _peak_memory_mb(root: Path) -> float:
    ingest_seconds(ingest.Params(dataset="folder:pictures"), root)
    return peak_memory_bytes() / 1e6


def memory_in_process(module: str, path: Path) -> float:
    """The peak memory in MB of a process of a benchmark that ingests a folder or file. Raises: InputError."""
    command = [sys.executable, "-m", module, "--memory-of", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise InputError(f"the measurement of memory exited with {done.returncode}: {done.stderr[-1000:]}")
    return float(json.loads(done.stdout.splitlines()[-1]))


if __name__ == "__main__":
    sys.exit(main())
