"""A prepared set -> the rates of ingest's decoding, of analyze and of the batches that are trained on, beside peers.

`python -m benchmarks.data --data-dir DIR`
"""

from __future__ import annotations

import argparse
import hashlib
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.turns import ratio, take_turns
from components import analyze, ingest
from components.artifacts.examples import Examples
from components.artifacts.transform import Transform
from components.beam import BeamOptions
from components.input import Order, Permutation
from components.sources.source import Wanted
from serving.arguments import Arguments
from serving.errors import BeamlineError

BATCH_SIZES = (1000, 40)
ROUNDS = 5
# Of batches: to begin a pass takes as long as a hundred thousand images.
EPOCHS = 10
# Of a peer that would take a minute.
PEER_ROWS = 10_000


def main(arguments: list[str] | None = None) -> int:
    """Runs the command. Returns: 0 done, or the exit code of what was wrong."""
    parser = Arguments(
        prog="python -m benchmarks.data",
        description="Images a second, libraries imported: medians of rounds in turn, and ratios to peers.",
    )
    parser.add_argument("--dataset", default="mnist", metavar="NAME", help="default: %(default)s")
    parser.add_argument("--data-dir", type=Path, metavar="FOLDER", help="where TensorFlow Datasets keeps prepared sets")
    parser.add_argument("--manual-dir", type=Path, metavar="FOLDER", help="the set's original files")
    options = parser.parse_args(arguments)
    # The recipe's own number of threads, which TensorFlow reads once, when it starts.
    os.environ |= {"TF_NUM_INTRAOP_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    try:
        _run(options)
    except BeamlineError as error:
        print(f"benchmarks.data: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def _run(options: argparse.Namespace) -> None:
    import apache_beam  # noqa: F401
    import tensorflow as tf  # noqa: F401

    params = ingest.Params(options.dataset, data_dir=options.data_dir, manual_dir=options.manual_dir)
    params.source.prepare()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "examples")
        out.mkdir()
        examples = ingest.run(params, BeamOptions(), out)
        _print_rates("decode", "TFDS's as_dataset", _decoding(params, Path(folder)))
        _print_rates("analyze", "numpy and hashlib", _analysis(examples, Path(folder)))
        for batch_size in BATCH_SIZES:
            _print_rates(f"batches of {batch_size}", "tf.data over arrays", _batches(examples, batch_size))


def _print_rates(what: str, peer: str, works: dict[str, Callable[[], float]]) -> None:
    found = take_turns(works, 1 + ROUNDS)
    # The first round traces graphs.
    rates = {name: figures[1:] for name, figures in found.items()}
    ours = rates["ours"]
    middle, spread = statistics.median(ours), f"{min(ours):,.0f} to {max(ours):,.0f}"
    others = [
        f"{name} {statistics.median(figures):,.0f}" for name, figures in rates.items() if name not in ("ours", "peer")
    ]
    said = "; ".join([f"{what}: {middle:,.0f} images/s ({spread})", *others])
    print(f"{said}; {ratio(ours, rates['peer'])} times {peer}", flush=True)


def _rate(rows: int, work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return rows / (time.perf_counter() - started)


def _decoding(params: ingest.Params, folder: Path) -> dict[str, Callable[[], float]]:
    """Every slice read; the whole job, which also hashes and writes the blocks; TFDS's reader in batches."""
    import tensorflow_datasets as tfds

    opened = params.source.open(Wanted(None, None, params.block_rows, None, None), folder)
    builder = tfds.builder(params.dataset, data_dir=params.data_dir)
    rows = {split: builder.info.splits[split].num_examples for split in ("train", "test")}
    number = iter(range(1000))

    def job() -> None:
        out = folder / f"ingest-{next(number)}"
        out.mkdir()
        ingest.write_examples(opened, BeamOptions(), out)

    def peer() -> None:
        for _ in builder.as_dataset(split="test", batch_size=1000).as_numpy_iterator():
            pass

    return {
        "ours": lambda: _rate(sum(rows.values()), lambda: [piece.read() for piece in opened.slices]),
        "the whole Beam job": lambda: _rate(sum(rows.values()), job),
        "peer": lambda: _rate(rows["test"], peer),
    }


def _analysis(examples: Examples, folder: Path) -> dict[str, Callable[[], float]]:
    """The work on every block and on all hashes; the whole job; what anybody would write with numpy."""
    rows = sum(examples.rows(split) for split in examples.blocks)
    blocks = analyze.place_blocks(examples)
    number = iter(range(1000))

    def folder_of_its_own() -> Path:
        out = folder / f"analyze-{next(number)}"
        out.mkdir()
        return out

    def work() -> None:
        hashes = folder_of_its_own()
        for placed in blocks:
            analyze.count_block(placed, examples, hashes, 1)
        analyze.find_duplicates(0, 1, hashes, blocks)

    def peer() -> None:
        images, labels = examples.all_images("train")[:PEER_ROWS], examples.all_labels("train")[:PEER_ROWS]
        np.bincount(images.ravel(), minlength=256)
        [images[labels == label].sum(axis=0) for label in np.unique(labels)]
        len({hashlib.sha256(image.data).digest() for image in images})

    return {
        "ours": lambda: _rate(rows, work),
        "the whole Beam job": lambda: _rate(rows, lambda: analyze.run(examples, BeamOptions(), folder_of_its_own())),
        "peer": lambda: _rate(PEER_ROWS, peer),
    }


def _batches(examples: Examples, batch_size: int) -> dict[str, Callable[[], float]]:
    """Epochs of shuffled, normalised, one-hot batches; the same from arrays with tf.data's own shuffle."""
    import tensorflow as tf

    channels = examples.image_shape[2]
    transform = Transform(
        path=examples.path,
        normalization="unit",
        scale=(1 / 255,) * channels,
        offset=(0.0,) * channels,
        class_names=examples.class_names,
    )
    rows = examples.rows("train")
    epoch = tf.Variable(0, dtype=tf.int64, trainable=False)
    ours = transform.dataset(examples, "train", batch_size, one_hot=True, order=Order(0, rows, Permutation(7, epoch)))
    arrays = examples.all_images("train"), examples.all_labels("train")
    theirs = (
        tf.data.Dataset.from_tensor_slices(arrays)
        .shuffle(rows)
        .batch(batch_size)
        .map(
            lambda images, labels: (tf.cast(images, tf.float32) / 255.0, tf.one_hot(labels, len(examples.class_names)))
        )
        .prefetch(16)
    )

    def consume(batches: tf.data.Dataset) -> None:
        # In C++, as training takes them: Python would take longer to look at a batch than it takes to be made.
        batches.repeat(EPOCHS).reduce(tf.constant(0.0), lambda total, batch: total + batch[0][0, 0, 0, 0]).numpy()

    return {
        "ours": lambda: _rate(EPOCHS * rows, lambda: consume(ours)),
        "peer": lambda: _rate(EPOCHS * rows, lambda: consume(theirs)),
    }


if __name__ == "__main__":
    sys.exit(main())
