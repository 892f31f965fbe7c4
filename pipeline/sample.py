"""The command `sample`: the images of a split as a file to score, with their labels beside it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from components.artifacts.examples import Examples
from pipeline.console import console, log_to
from pipeline.definition import pipeline
from pipeline.fallback import obtainable
from pipeline.options import Request, parse_run
from pipeline.run import complete, plan, set_threads
from pipeline.store import Store
from serving.arguments import Arguments
from serving.errors import BeamlineError, InputError
from serving.files import fsync_folder, sha256_file
from serving.interrupts import finishing


def sample(arguments: list[str]) -> int:
    """Writes the images of a split as .npy, and its labels as `<name>.labels.npy`.

    Returns:
        0, or what the ingest failed with.

    Raises:
        InputError: a wrong flag, or a place that cannot be written.
    """
    parser = Arguments(
        prog="python -m pipeline sample",
        description="Writes the images of a split as .npy to score, and their labels beside it.",
        epilog="The flags of `python -m pipeline run` that say which data set are taken too.",
    )
    parser.add_argument(
        "--split", choices=("train", "test"), default="test", help="whose images (default: %(default)s)"
    )
    out = "what to write; labels go beside it (default: %(default)s)"
    parser.add_argument("--out", type=Path, default=Path("images.npy"), metavar="FILE", help=out)
    given, rest = parser.parse_known_args(arguments)
    if given.out.suffix != ".npy":
        raise InputError(f"--out {given.out} ends in {given.out.suffix!r}: give a name that ends in .npy")
    if not given.out.parent.is_dir():
        raise InputError(f"--out {given.out}: {given.out.parent} is no folder: make it first, or give another place")
    request = parse_run(rest)
    with console(request.screen):
        request = obtainable(request)
        store = Store(request.config.runs)
        with store.shared():
            examples = _examples(request, store)
            return examples if isinstance(examples, int) else _write(examples, given.split, given.out)


def _write(examples: Examples, split: str, out: Path) -> int:
    blocks = examples.blocks[split]
    for got, wanted in ((examples.images(blocks[0]).dtype, np.uint8), (examples.labels(blocks[0]).dtype, np.int64)):
        if got != wanted:
            raise InputError(
                f"{split} of {examples.dataset} holds {got}, samples are uint8 images and int64 labels: "
                "run the pipeline on it, which says of each row what to do"
            )
    shape = (examples.rows(split), *examples.image_shape)
    labels_file = out.with_name(out.stem + ".labels.npy")
    images, labels = map(examples.images, blocks), map(examples.labels, blocks)
    # Both or none: labels beside the images of another split would be believed.
    with (
        _staged(out, shape, np.uint8, images) as staged_images,
        _staged(labels_file, shape[:1], np.int64, labels) as staged_labels,
        finishing(),
    ):
        os.replace(staged_images, out)
        os.replace(staged_labels, labels_file)
    fsync_folder(out.parent)
    print(f"{shape[0]:,} images of {split} -> {out}, labels -> {labels_file}")
    print(f"score:  python -m serving.batch_score {out}")
    return 0


def _examples(request: Request, store: Store) -> Examples | int:
    """The ingested data set, made now where it is not there yet; the exit code where it cannot be had."""
    config = request.config
    steps = pipeline(config, run="")[:1]
    made = plan(steps, store)
    if not made:
        with log_to(config.runs / "logs" / "sample.log", request.screen):
            set_threads(config.train.intra_op_threads)
            made = complete(steps, made, store, request)
    (outcome,) = made.values()
    if outcome.artifact is None:
        print(f"sample: {'; '.join(outcome.reasons)}", file=sys.stderr)
        return outcome.exit_code
    stored = store.stored(store.root / "artifacts" / outcome.artifact)
    if stored is None or (damage := stored.damage()) is not None:
        found = "its record is gone" if stored is None else damage
        folder = store.root / "artifacts" / outcome.artifact
        raise BeamlineError(f"the ingested images are not as they were committed ({found}): delete {folder}")
    return Examples.load(stored.path)


@contextmanager
def _staged(
    target: Path, shape: tuple[int, ...], dtype: type[np.generic], parts: Iterable[npt.NDArray[Any]]
) -> Iterator[Path]:
    """Writes a .npy file beside its target, whole, to be put in its place; what is left of it goes away.

    Raises:
        InputError: it cannot be written there, or what stands at the target is something else.
    """
    staged = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with staged.open("wb") as file:
            header = {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
            for part in parts:
                file.write(np.ascontiguousarray(part).data)
            file.flush()
            os.fsync(file.fileno())
        if target.exists() and (not target.is_file() or sha256_file(target) != sha256_file(staged)):
            raise InputError(
                f"{target} exists and holds something else: move it away, or give another place with --out"
            )
        yield staged
    except OSError as error:
        raise InputError(f"{target} cannot be written: {error.strerror}: give another place with --out") from error
    finally:
        staged.unlink(missing_ok=True)
