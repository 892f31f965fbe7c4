"""Whole runs on MNIST, and parts of them, against a bare Keras script and an import of numpy, processes in turn.

`python -m benchmarks.runs --manual-dir FOLDER`
"""

from __future__ import annotations

import argparse
import itertools
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.turns import ratio, take_turns
from components.artifacts.examples import SPLITS, Examples
from serving.arguments.parser import Arguments
from serving.errors import BeamlineError

ROOT = Path(__file__).parents[1]
PEERS = ROOT / "benchmarks" / "peers"
EPOCHS = 5


class Cost(NamedTuple):
    """What a process took: seconds on the clock and of the processors, the peak memory of its largest process.

    The peak is at least the memory of the process that measures, 0.1 GB.
    """

    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int
    printed: str


def cost(*command: object) -> Cost:
    """Runs a Python command in a process of its own. Raises: BeamlineError: it failed."""
    started = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, *map(str, command)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        printed = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        wall_seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise BeamlineError(f"{' '.join(map(str, command))} ended with {process.returncode}: {printed[-1000:]}")
    return Cost(wall_seconds, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024, printed)


@dataclass(frozen=True)
class Bench:
    """Prepared MNIST, and a store with a run on it.

    Attributes:
        folder: of the data set, the stores and the arrays.
        rounds: number of pairs.
    """

    folder: Path
    rounds: int

    @property
    def arrays(self) -> Path:
        """MNIST for the bare script."""
        return self.folder / "mnist.npz"

    def run(self, *flags: object, store: str = "runs") -> Cost:
        """A run in a process of its own."""
        places = ["--data-dir", self.folder / "data", "--runs", self.folder / store]
        return cost("-m", "pipeline", "run", "--dataset", "mnist", *places, "--models", self.folder / "models", *flags)

    def cold_run(self, *flags: object) -> Cost:
        """A run without a store."""
        shutil.rmtree(self.folder / "cold", ignore_errors=True)
        shutil.rmtree(self.folder / "models", ignore_errors=True)
        return self.run(*flags, store="cold")

    def bare(self, recipe: str = "mlp", epochs: int = EPOCHS) -> Cost:
        """A bare Keras script of the same recipe."""
        return cost(PEERS / "bare_keras.py", self.arrays, recipe, epochs)

    def fit(self, preset: str, epochs: int) -> float:
        """The seconds of a training alone."""
        payloads = [next(self.folder.glob(f"runs/artifacts/{step}-*/payload")) for step in ("ingest", "transform")]
        return float(cost("-m", "benchmarks.training", *payloads, preset, epochs).printed.splitlines()[-1])

    def bare_fit(self, recipe: str, epochs: int) -> float:
        """The seconds of the bare script's training."""
        return float(self.bare(recipe, epochs).printed.splitlines()[-1])

    def prepare(self, manual: Path | None) -> None:
        """Prepares the data set with a first run. Raises: BeamlineError: it failed."""
        self.run(*([] if manual is None else ["--manual-dir", manual.resolve()]))
        examples = Examples.load(next(self.folder.glob("runs/artifacts/ingest-*/payload")))
        images = {f"x_{split}": examples.all_images(split) for split in SPLITS}
        labels = {f"y_{split}": examples.all_labels(split) for split in SPLITS}
        np.savez(self.arrays, **images, **labels)


def whole(bench: Bench) -> None:
    """A cold run of all steps."""
    costs = take_turns({"ours": bench.cold_run, "bare": bench.bare}, bench.rounds)
    for name, limit, of in (
        ("wall time", 0.5, lambda one: one.wall_seconds),
        ("processor time", 0.65, lambda one: one.cpu_seconds),
        ("peak memory", 0.65, lambda one: one.peak_bytes),
    ):
        ours, bare = (list(map(of, costs[who])) for who in ("ours", "bare"))
        _print(f"nine steps / bare Keras script, {name}", ours, bare, limit)
    print(f"nine steps: {_middle([one.wall_seconds for one in costs['ours']])}", flush=True)


def training(bench: Bench) -> None:
    """The training alone, compilation included."""
    for recipe, preset, epochs, limit in (("mlp", "mlp-128-128", EPOCHS, 0.3), ("cnn", "cnn", 2, 0.8)):
        works: dict[str, Callable[[], float]] = {
            "ours": lambda preset=preset, epochs=epochs: bench.fit(preset, epochs),  # type: ignore[misc]
            "bare": lambda recipe=recipe, epochs=epochs: bench.bare_fit(recipe, epochs),  # type: ignore[misc]
        }
        seconds = take_turns(works, bench.rounds)
        _print(f"training alone, {preset}, {epochs} epochs / model.fit", seconds["ours"], seconds["bare"], limit)


def unchanged(bench: Bench) -> None:
    """A run with nothing to do."""
    bench.run()
    seconds = take_turns(
        {"ours": lambda: bench.run().wall_seconds, "numpy": lambda: cost("-c", "import numpy").wall_seconds},
        bench.rounds,
    )
    _print("nothing to do / import numpy", seconds["ours"], seconds["numpy"], 3.0)


def changed(bench: Bench) -> None:
    """Runs after one change: of a limit, and of the recipe."""
    limits = itertools.count(1)
    works: dict[str, Callable[[], float]] = {
        "gate": lambda: bench.run("--evaluate.min-accuracy", 0.9 + next(limits) / 10_000).wall_seconds,
        "validate": lambda: bench.run("--validate.max-skew", 0.2 + next(limits) / 10_000).wall_seconds,
        # A new seed too: the epochs alone would be found in the store.
        "epochs": lambda: bench.run("--train.epochs", 4, "--seed", next(limits)).wall_seconds,
        "bare": lambda: bench.bare().wall_seconds,
    }
    seconds = take_turns(works, bench.rounds)
    for name in ("gate", "validate"):
        print(f"a change of {name} alone: {_middle(seconds[name])}; limit 1.5 s", flush=True)
    _print("a change of the epochs / bare Keras script", seconds["epochs"], seconds["bare"], 0.45)


PARTS = {"whole": whole, "training": training, "unchanged": unchanged, "changed": changed}


def main(arguments: list[str] | None = None) -> int:
    """Runs the command. Returns: 0 done, or the exit code of the error."""
    options = _parser().parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory() as folder:
            bench = Bench(Path(folder), options.rounds)
            bench.prepare(options.manual_dir)
            for part in options.only or PARTS:
                PARTS[part](bench)
    except BeamlineError as error:
        print(f"benchmarks.runs: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = Arguments(
        prog="python -m benchmarks.runs",
        description="Whole runs on MNIST, and parts of them, against a bare Keras script: medians of pairs in turn.",
    )
    parser.add_argument("--manual-dir", type=Path, metavar="FOLDER", help="MNIST's original files (default: fetched)")
    parser.add_argument("--rounds", type=int, default=8, metavar="N", help="pairs (default: %(default)s)")
    parser.add_argument("--only", choices=PARTS, action="append", help="some parts; default: all")
    return parser


def _print(name: str, ours: Sequence[float], theirs: Sequence[float], limit: float) -> None:
    print(f"{name}: {ratio(ours, theirs)}; limit {limit:.2f}", flush=True)


def _middle(seconds: Sequence[float]) -> str:
    return f"{statistics.median(seconds):.2f} s ({min(seconds):.2f} to {max(seconds):.2f})"


if __name__ == "__main__":
    sys.exit(main())
