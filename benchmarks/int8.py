"""Bundle + images -> the ratio of the rates of int8 and float32 on one processor, with onnxruntime alone.

`python -m benchmarks.int8 models/mnist images.npy --labels images.labels.npy`
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.turns import ratio, take_turns
from serving.arguments.parser import Arguments
from serving.batch.images import find_images
from serving.batch.labels import open_labels
from serving.blocks import Images
from serving.errors import BeamlineError
from serving.registry.selection import find_bundle
from serving.scoring.network import Network
from serving.scoring.scorer import FILES, Precision, Scorer

BATCH_SIZES = (64, 128, 256, 512, 1024, 2048, 4096, 8192)
TRIALS = 3
ROUNDS = 25

# Scores all rows, in batches of the given size.
Score = Callable[[int], object]


def main(arguments: list[str] | None = None) -> int:
    """Runs the command. Returns: 0 done, or the exit code of the error."""
    try:
        _run(_parser().parse_args(arguments))
    except BeamlineError as error:
        print(f"benchmarks.int8: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def measure(
    scores: dict[str, Score], rows: int, clock: Callable[[], float] = time.perf_counter
) -> tuple[dict[str, list[float]], dict[str, int]]:
    """Finds the best batch size of each model, then measures them in turn.

    Args:
        scores: functions by name.
        rows: number of images that each function scores.
        clock: returns seconds.

    Returns:
        By name: images per second in each round, and the best batch size.
    """

    def rate(score: Score, batch_size: int) -> float:
        started = clock()
        score(batch_size)
        return rows / (clock() - started)

    def best(score: Score) -> int:
        score(BATCH_SIZES[-1])
        return max(BATCH_SIZES, key=lambda size: statistics.median(rate(score, size) for _ in range(TRIALS)))

    sizes = {name: best(score) for name, score in scores.items()}
    return take_turns({name: partial(rate, score, sizes[name]) for name, score in scores.items()}, ROUNDS), sizes


def _parser() -> Arguments:
    parser = Arguments(
        prog="python -m benchmarks.int8",
        description="The ratio of the rates of int8 and float32: medians of rounds in turn, with their spread.",
    )
    parser.add_argument("model", help="a promoted model's folder, or a bundle's")
    parser.add_argument("images", help="as serving.batch_score takes them")
    parser.add_argument("--labels", type=Path, metavar="FILE", help="the true labels: print both accuracies")
    return parser


def _run(options: argparse.Namespace) -> None:
    source = find_images([options.images])
    bundle, _ = find_bundle(source, Path("models"), options.model)
    shape = bundle.manifest.image_shape
    images = source.read(0, source.rows, shape).images
    scorers = {name: Scorer(bundle, precision=name) for name in FILES}
    if options.labels is not None:
        labels = open_labels(options.labels, bundle.manifest.labels)
        _print_accuracies(scorers, images, labels.read(0, labels.rows))
    repeated = np.resize(images, (max(len(images), BATCH_SIZES[-1]), *shape))
    networks = {name: Network(bundle.read(file)) for name, file in FILES.items()}
    rates, sizes = measure(
        {name: partial(network.probabilities, repeated) for name, network in networks.items()}, len(repeated)
    )
    lines = [
        f"{name} {statistics.median(found):,.0f} images/s in batches of {sizes[name]:,}"
        for name, found in rates.items()
    ]
    print(f"one thread: int8 {ratio(rates['int8'], rates['float32'])} times float32; {', '.join(lines)}")


def _print_accuracies(scorers: dict[Precision, Scorer], images: Images, labels: np.ndarray) -> None:
    predicted = {name: scorer.score(images).labels for name, scorer in scorers.items()}
    accuracies = ", ".join(f"{name} {(found == labels).mean():.4f}" for name, found in predicted.items())
    agreement = (predicted["int8"] == predicted["float32"]).mean()
    print(f"accuracy of {len(labels):,} images: {accuracies}; the same class for {agreement:.4f}")


if __name__ == "__main__":
    sys.exit(main())
