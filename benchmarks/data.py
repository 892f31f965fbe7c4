"""A prepared data set -> the rates of decoding, analyze and training batches, and their ratios to peers.

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
from components.analyze.counting import count_block
from components.analyze.duplicate_search import find_duplicates
from components.analyze.search import place_blocks
from components.artifacts.examples import Examples
from components.batches.chunks import training_chunks
from components.batches.stream import Permutation
from components.beam import BeamOptions
from components.ingest.decode import write_examples
from components.ingest.ingest import source_of
from components.run_context import RunContext
from serving.arguments.parser import Arguments
from serving.errors import BeamlineError

BATCH_SIZES = (1000, 40)
ROUNDS = 5
# Epochs of batches: the start of a pass takes as long as a hundred thousand images.
EPOCHS = 10
# Rows for a peer that would otherwise take a minute.
PEER_ROWS = 10_000


def main(arguments: list[str] | None = None) -> int:
    """Runs the command. Returns: 0 done, or the exit code of the error."""
    parser = Arguments(
        prog="python -m benchmarks.data",
        description="Images per second after the imports: medians of rounds in turn, and ratios to peers.",
    )
    parser.add_argument("--dataset", default="mnist", metavar="NAME", help="default: %(default)s")
    parser.add_argument("--data-dir", type=Path, metavar="FOLDER", help="the folder of prepared TensorFlow data sets")
    parser.add_argument("--manual-dir", type=Path, metavar="FOLDER", help="the folder of the data set's original files")
    options = parser.parse_args(arguments)
    # TensorFlow reads the number of threads of the recipe once, at its start.
    os.environ |= {"TF_NUM_INTRAOP_THREADS": "2", "TF_CPP_MIN_LOG_LEVEL": "3"}
    try:
        _run(options)
    except BeamlineError as error:
        print(f"benchmarks.data: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def _run(options: argparse.Namespace) -> None:
    import apache_beam  # noqa: F401
    import tensorflow as tf  # noqa: F401

    params = ingest.Params(dataset=options.dataset)
    context = RunContext(data_dir=options.data_dir, manual_dir=options.manual_dir)
    ingest.prepare(params, context)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "examples")
        out.mkdir()
        examples = ingest.run(params, context, BeamOptions(), out)
        _print_rates("decode", "TFDS's as_dataset", _decoding(params, context, Path(folder)))
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
    line = "; ".join([f"{what}: {middle:,.0f} images/s ({spread})", *others])
    print(f"{line}; {ratio(ours, rates['peer'])} times {peer}", flush=True)


def _rate(rows: int, work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return rows / (time.perf_counter() - started)


def _decoding(params: ingest.Params, context: RunContext, folder: Path) -> dict[str, Callable[[], float]]:
    """Reading every block; the whole step, which also hashes and writes blocks; the reader of TFDS in batches."""
    import tensorflow_datasets as tfds

    plan = source_of(params, context).plan(params, folder)
    builder = tfds.builder(params.dataset, data_dir=context.data_dir)
    rows = {split: builder.info.splits[split].num_examples for split in ("train", "test")}
    number = iter(range(1000))

    def job() -> None:
        out = folder / f"ingest-{next(number)}"
        out.mkdir()
        write_examples(plan, BeamOptions(), out)

    def peer() -> None:
        for _ in builder.as_dataset(split="test", batch_size=1000).as_numpy_iterator():
            pass

    return {
        "ours": lambda: _rate(sum(rows.values()), lambda: [reader.read() for reader in plan.readers]),
        "the whole step": lambda: _rate(sum(rows.values()), job),
        "peer": lambda: _rate(rows["test"], peer),
    }


def _analysis(examples: Examples, folder: Path) -> dict[str, Callable[[], float]]:
    """Counting blocks and finding duplicates; the whole step; the same counts with plain numpy."""
    rows = sum(examples.rows(split) for split in examples.blocks)
    blocks = place_blocks(examples)
    number = iter(range(1000))

    def new_folder() -> Path:
        out = folder / f"analyze-{next(number)}"
        out.mkdir()
        return out

    def work() -> None:
        hashes = new_folder()
        for placed in blocks:
            count_block(placed, examples, hashes, 1)
        find_duplicates(0, 1, hashes, blocks)

    def peer() -> None:
        images, labels = examples.all_images("train")[:PEER_ROWS], examples.all_labels("train")[:PEER_ROWS]
        np.bincount(images.ravel(), minlength=256)
        [images[labels == label].sum(axis=0) for label in np.unique(labels)]
        len({hashlib.sha256(image.data).digest() for image in images})

    return {
        "ours": lambda: _rate(rows, work),
        "the whole step": lambda: _rate(rows, lambda: analyze.run(examples, BeamOptions(), new_folder())),
        "peer": lambda: _rate(PEER_ROWS, peer),
    }


def _batches(examples: Examples, batch_size: int) -> dict[str, Callable[[], float]]:
    """Epochs of shuffled chunks of batches; batches from arrays with the shuffle of tf.data."""
    import tensorflow as tf

    rows = examples.rows("train")
    epoch = tf.Variable(0, dtype=tf.int64, trainable=False)
    ours = training_chunks(examples, np.arange(rows), Permutation(7, epoch), batch_size)
    arrays = examples.all_images("train"), examples.all_labels("train")
    theirs = tf.data.Dataset.from_tensor_slices(arrays).shuffle(rows).batch(batch_size).prefetch(16)

    def consume(batches: tf.data.Dataset) -> None:
        # Consumed in C++, as in training: a Python loop would take longer than making the batches.
        def add(total: tf.Tensor, batch: tuple[tf.Tensor, ...]) -> tf.Tensor:
            return total + tf.cast(batch[0][0, 0, 0, 0], tf.int64)

        batches.repeat(EPOCHS).reduce(tf.constant(0, tf.int64), add).numpy()

    return {
        "ours": lambda: _rate(EPOCHS * rows, lambda: consume(ours)),
        "peer": lambda: _rate(EPOCHS * rows, lambda: consume(theirs)),
    }


if __name__ == "__main__":
    sys.exit(main())
