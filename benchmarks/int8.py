"""Bundle + images -> how many times as fast int8 scores as float32, by onnxruntime alone.

`python -m benchmarks.int8 models/mnist images.npy --labels images.labels.npy`
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from serving.arguments import Arguments
from serving.errors import BeamlineError
from serving.images import Images, open_images
from serving.network import Network, usable_processors
from serving.scorer import FILES, Precision, Scorer
from serving.selection import find_bundle

BATCH_SIZES = (64, 128, 256, 512, 1024, 2048, 4096, 8192)
TRIALS = 3
ROUNDS = 25


@dataclass(frozen=True)
class Rates:
    """Images a second, round by round, of both networks in turn, each at the batch size that suits it best.

    Attributes:
        float32: by round.
        int8: by round.
        batch_sizes: of float32 and int8.
    """

    float32: tuple[float, ...]
    int8: tuple[float, ...]
    batch_sizes: tuple[int, int]

    @property
    def ratios(self) -> list[float]:
        """int8 to float32, by round."""
        return [ours / theirs for ours, theirs in zip(self.int8, self.float32, strict=True)]


def main(arguments: list[str] | None = None) -> int:
    """Runs the command. Returns: 0 done, or the exit code of what was wrong."""
    try:
        _run(_parser().parse_args(arguments))
    except BeamlineError as error:
        print(f"benchmarks.int8: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def measure(
    float32: Callable[[int], object],
    int8: Callable[[int], object],
    rows: int,
    clock: Callable[[], float] = time.perf_counter,
) -> Rates:
    """Finds the best batch size of each, then lets them take turns.

    Args:
        float32: scores all rows, in batches of the size that it is given.
        int8: likewise.
        rows: how many these are.
        clock: seconds.
    """

    def rate(score: Callable[[int], object], batch_size: int) -> float:
        started = clock()
        score(batch_size)
        return rows / (clock() - started)

    def best(score: Callable[[int], object]) -> int:
        score(BATCH_SIZES[-1])
        return max(BATCH_SIZES, key=lambda size: statistics.median(rate(score, size) for _ in range(TRIALS)))

    sizes = best(float32), best(int8)
    turns = [(rate(float32, sizes[0]), rate(int8, sizes[1])) for _ in range(ROUNDS)]
    return Rates(tuple(turn[0] for turn in turns), tuple(turn[1] for turn in turns), sizes)


def _parser() -> Arguments:
    parser = Arguments(
        prog="python -m benchmarks.int8",
        description="How many times as fast int8 scores as float32: medians of rounds in turn, with their spread.",
    )
    parser.add_argument("model", help="a promoted model's folder, or a bundle's")
    parser.add_argument("images", type=Path, help="a .npy file, as serving.batch_score takes it")
    parser.add_argument("--labels", type=Path, metavar="FILE", help="int64 (n,) as .npy: print both accuracies")
    return parser


def _run(options: argparse.Namespace) -> None:
    file = open_images(options.images)
    bundle, _ = find_bundle(file, Path("models"), options.model)
    shape = bundle.manifest.image_shape
    images = np.concatenate([np.empty((0, *shape), np.uint8), *file.blocks(BATCH_SIZES[-1], shape)])
    scorers = {name: Scorer(bundle, precision=name) for name in FILES}
    if options.labels is not None:
        _print_accuracies(scorers, images, np.load(options.labels, allow_pickle=False))
    repeated = np.resize(images, (max(len(images), BATCH_SIZES[-1]), *shape))
    for threads in sorted({1, usable_processors()}):
        networks = [Network(bundle.read(file), threads) for file in FILES.values()]
        float32, int8 = (partial(network.probabilities, repeated) for network in networks)
        _print_rates(threads, measure(float32, int8, len(repeated)))


def _print_accuracies(scorers: dict[Precision, Scorer], images: Images, labels: np.ndarray) -> None:
    predicted = {name: scorer.score(images).labels for name, scorer in scorers.items()}
    accuracies = ", ".join(f"{name} {(found == labels).mean():.4f}" for name, found in predicted.items())
    agreement = (predicted["int8"] == predicted["float32"]).mean()
    print(f"accuracy of {len(labels):,} images: {accuracies}; the same class for {agreement:.4f}")


def _print_rates(threads: int, rates: Rates) -> None:
    said = [
        f"{name} {statistics.median(found):,.0f} images/s in batches of {size:,}"
        for name, found, size in zip(FILES, (rates.float32, rates.int8), rates.batch_sizes, strict=True)
    ]
    low, *_, high = statistics.quantiles(rates.ratios, n=10)
    print(
        f"{threads} thread{'s' * (threads > 1)}: int8 {statistics.median(rates.ratios):.2f} times float32 "
        f"({low:.2f} to {high:.2f} in 8 of 10 rounds); {', '.join(said)}"
    )


if __name__ == "__main__":
    sys.exit(main())
