"""The command `python -m serving.batch_score images.npy`: a file of images in, a file of predictions out."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from serving.arguments import Arguments
from serving.errors import BeamlineError
from serving.images import open_images
from serving.interrupts import Terminated, raise_on_signals
from serving.network import BATCH_SIZE
from serving.predictions import require_replaceable, writer_for
from serving.process import peak_memory_bytes
from serving.scorer import FILES, Scorer
from serving.selection import find_bundle

# Images that are read, scored and written at once: some tens of megabytes, whatever the file's size.
BLOCK_ROWS = 16_384


def main(arguments: list[str] | None = None) -> int:
    """Runs the command. Returns: 0 done, 2 wrong usage or bad input, 4 bundle refused, 1 failed otherwise."""
    raise_on_signals()
    try:
        _score(_parser().parse_args(arguments))
    except BeamlineError as error:
        print(f"batch_score: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"batch_score: {error}; nothing was written", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("batch_score: interrupted", file=sys.stderr)
        return 130
    except Terminated as stop:
        print("batch_score: terminated", file=sys.stderr)
        return stop.exit_code
    return 0


def _parser() -> Arguments:
    parser = Arguments(
        prog="python -m serving.batch_score",
        description="Scores a .npy file of images with the promoted model, with onnxruntime alone.",
    )
    parser.add_argument("images", type=Path, help="uint8 (n, h, w), (n, h, w, c) or (n, h·w·c), 0 to 255, as .npy")
    parser.add_argument("--model", metavar="NAME|PATH", help="default: the promoted model whose input fits the images")
    parser.add_argument(
        "--models", type=Path, default=Path("models"), metavar="D", help="the registry (default: models)"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help=".csv or .npy (default: <images>.predictions.csv)")
    parser.add_argument("--probabilities", action="store_true", help="write the probability of every class")
    parser.add_argument("--precision", choices=FILES, default="float32", help="default: %(default)s; int8 is faster")
    parser.add_argument(
        "--threads", type=_from_1_to(1024), metavar="N", help="default: the processors this process may use"
    )
    parser.add_argument(
        "--batch-size", type=_from_1_to(1 << 20), default=BATCH_SIZE, metavar="N", help="default: %(default)s"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace an output that is not ours")
    return parser


def _from_1_to(most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isdecimal() or not 1 <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to {most:,}")
        return int(text)

    return number


def _score(options: argparse.Namespace) -> None:
    from tqdm import tqdm

    started = time.perf_counter()
    images = open_images(options.images)
    target = options.out or options.images.with_name(options.images.stem + ".predictions.csv")
    writer_kind = writer_for(target)
    require_replaceable(target, options.images, options.overwrite)
    opened = time.perf_counter()
    bundle, version = find_bundle(images, options.models, options.model)
    manifest = bundle.manifest
    images.require_fit(manifest.image_shape)
    scorer = Scorer(bundle, options.threads, options.batch_size, options.precision)
    loaded = time.perf_counter()
    bar = tqdm(total=images.rows, unit=" images", unit_scale=True, leave=False, disable=None)
    with bar, writer_kind(target, images.rows, manifest.labels, options.probabilities) as writer:
        for block in images.blocks(BLOCK_ROWS, manifest.image_shape):
            writer.write(scorer.score(block))
            bar.update(len(block))
        seconds = time.perf_counter() - started
        writer.commit(
            {
                "model": manifest.model,
                "version": version,
                "bundle_sha256": bundle.sha256,
                "precision": options.precision,
                "input": str(options.images),
                "rows": images.rows,
                "probabilities": options.probabilities,
                "seconds": round(seconds, 3),
                "load_seconds": round(loaded - opened, 4),
                "images_per_second": round(images.rows / (time.perf_counter() - loaded), 1),
                "peak_memory_bytes": peak_memory_bytes(),
            }
        )
    named = f"{manifest.model} {bundle.path if version is None else f'version {version}'}"
    print(f"{images.rows:,} images in {seconds:.2f} s, {images.rows / seconds:,.0f} images/s -> {target} ({named})")


if __name__ == "__main__":
    sys.exit(main())
