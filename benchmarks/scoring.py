"""Promoted model + images -> the ratios of the batch scorer to its peers, whole processes, in turn.

`python -m benchmarks.scoring models/mnist images.npy`
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.turns import ratio, take_turns
from serving.arguments.parser import Arguments
from serving.batch.images import find_images
from serving.blocks import Source
from serving.bundle.bundle import ONNX
from serving.errors import BeamlineError
from serving.registry.selection import find_bundle

ROOT = Path(__file__).parents[1]
BATCH_SIZES = (128, 256, 512, 1024, 2048, 4096)
FEW_ROWS = 10_000
# The numbers of images for which the peak memory is compared.
MEMORY_ROWS = (100_000, 10_000_000)
KERAS_SECONDS, KERAS_BATCH_SIZE = 3, 1024
BEAM_ROWS = 20_000


@dataclass(frozen=True)
class Bench:
    """The model and the images of the measurements.

    Attributes:
        bundle: the model's folder, absolute.
        images: uint8 (n, h, w, c), repeated to the wanted number.
        folder: for temporary files.
        rounds: number of rounds.
    """

    bundle: Path
    images: np.ndarray
    folder: Path
    rounds: int

    def file(self, rows: int) -> Path:
        """A .npy file with this number of images, in the page cache."""
        path = self.folder / f"{rows}.npy"
        with path.open("wb") as file:
            header = {"descr": "|u1", "fortran_order": False, "shape": (rows, *self.images.shape[1:])}
            np.lib.format.write_array_header_1_0(file, header)
            for start in range(0, rows, len(self.images)):
                file.write(self.images[: rows - start].data)
        return path

    def bare(self, file: Path, batch_size: int) -> float:
        """The seconds of the bare script."""
        command = [ROOT / "benchmarks/peers/bare_onnxruntime.py", self.bundle / ONNX, file, batch_size]
        return self._seconds(*command, self.folder / "bare.npy")

    def ours(self, file: Path, suffix: str = ".npy", precision: str = "float32") -> float:
        """The seconds of the batch scorer."""
        out = self.folder / f"ours{suffix}"
        for old in (out, out.with_name(f"{out.name}.json")):
            old.unlink(missing_ok=True)
        flags = ("--model", self.bundle, "--precision", precision, "--out", out)
        return self._seconds("-m", "serving.batch_score", file, *flags)

    def peak_bytes(self, file: Path) -> int:
        """The peak memory of the batch scorer for a file, from its sidecar."""
        self.ours(file)
        return int(json.loads((self.folder / "ours.npy.json").read_text(encoding="utf-8"))["peak_memory_bytes"])

    def printed(self, peer: str, *arguments: object) -> float:
        """The rate that a peer prints."""
        done = self._run("-m", f"benchmarks.peers.{peer}", *arguments)
        return float(done.stdout.splitlines()[-1])

    def _seconds(self, *arguments: object) -> float:
        started = time.perf_counter()
        self._run(*arguments)
        return time.perf_counter() - started

    def _run(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *map(str, arguments)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BeamlineError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr[-1000:]}")
        return done


def main(arguments: list[str] | None = None) -> int:
    """Runs the command. Returns: 0 done, or the exit code of the error."""
    try:
        _run(_parser().parse_args(arguments))
    except BeamlineError as error:
        print(f"benchmarks.scoring: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def _parser() -> Arguments:
    parser = Arguments(
        prog="python -m benchmarks.scoring",
        description="The ratios of the batch scorer to a bare script, Keras and Beam: medians of rounds in turn.",
    )
    parser.add_argument("model", help="a promoted model's folder, or a bundle's")
    parser.add_argument("images", help="as serving.batch_score takes them; they are repeated")
    parser.add_argument("--rows", type=int, default=5_000_000, metavar="N", help="images (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="default: %(default)s")
    parser.add_argument("--only", choices=PARTS, action="append", help="some parts; default: all")
    return parser


def _run(options: argparse.Namespace) -> None:
    source: Source = find_images([options.images])
    bundle, _ = find_bundle(source, Path("models"), options.model)
    images = source.read(0, source.rows, bundle.manifest.image_shape).images
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(bundle.path.resolve(), images, Path(folder), options.rounds)
        for part in options.only or PARTS:
            PARTS[part](bench, options.rows)


def many(bench: Bench, rows: int) -> None:
    """The rates of whole processes, .npy to .npy and .csv, against the bare script at its best batch size."""
    file = bench.file(rows)
    best = min(BATCH_SIZES, key=partial(bench.bare, bench.file(min(rows, 1_000_000))))
    seconds = take_turns(
        {
            "bare": partial(bench.bare, file, best),
            "float32": partial(bench.ours, file),
            "int8": partial(bench.ours, file, precision="int8"),
            "csv": partial(bench.ours, file, suffix=".csv"),
            "int8 csv": partial(bench.ours, file, suffix=".csv", precision="int8"),
        },
        bench.rounds,
    )
    rates = {name: [rows / taken for taken in found] for name, found in seconds.items()}
    print(f"{rows:,} images, rate against the bare script's (batches of {best}, {_middle(rates['bare'])}):")
    for name in ("float32", "int8"):
        print(f"  {name}: {ratio(rates[name], rates['bare'])}, {_middle(rates[name])}")
    print(
        f"  .csv against .npy: {ratio(rates['csv'], rates['float32'])}; int8: {ratio(rates['int8 csv'], rates['int8'])}"
    )


def few(bench: Bench, rows: int) -> None:
    """The time of a small file against the bare script's."""
    file = bench.file(FEW_ROWS)
    best = min(BATCH_SIZES, key=lambda size: min(bench.bare(file, size) for _ in range(3)))
    works = {"bare": partial(bench.bare, file, best), "ours": partial(bench.ours, file)}
    seconds = take_turns(works, 5 * bench.rounds)
    print(f"{FEW_ROWS:,} images, time against the bare script's: {ratio(seconds['ours'], seconds['bare'])}")


def peers(bench: Bench, rows: int) -> None:
    """The rate of the whole process, against the rates of Keras and Beam without start, reading and writing."""
    file, given = bench.file(rows), bench.file(FEW_ROWS)
    rates = take_turns(
        {
            "float32": lambda: rows / bench.ours(file),
            "int8": lambda: rows / bench.ours(file, precision="int8"),
            "keras": partial(bench.printed, "keras_predict", bench.bundle, given, KERAS_BATCH_SIZE, KERAS_SECONDS),
            "beam": partial(bench.printed, "beam_run_inference", bench.bundle / ONNX, given, BEAM_ROWS),
        },
        bench.rounds,
    )
    for name, peer in (("keras", f"keras.Model.predict, batches of {KERAS_BATCH_SIZE:,}"), ("beam", "RunInference")):
        ratios = ", ".join(f"{ours} {ratio(rates[ours], rates[name])}" for ours in ("float32", "int8"))
        print(f"rate against {peer} ({_middle(rates[name])}): {ratios}")


def memory(bench: Bench, rows: int) -> None:
    """The peak memory for a file, and for one a hundred times as large."""
    peaks = []
    for count in MEMORY_ROWS:
        file = bench.file(count)
        peaks.append(bench.peak_bytes(file) / 1e6)
        file.unlink()
    small, large = peaks
    counts = [f"{count:,}" for count in MEMORY_ROWS]
    print(f"resident memory: {small:.0f} MB for {counts[0]} images, {large:.0f} MB for {counts[1]}")


def _middle(rates: list[float]) -> str:
    return f"{sorted(rates)[len(rates) // 2]:,.0f} images/s"


PARTS: dict[str, Callable[[Bench, int], None]] = {"many": many, "few": few, "peers": peers, "memory": memory}

if __name__ == "__main__":
    sys.exit(main())
