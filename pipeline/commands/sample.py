"""sample: write the images of a split as a file to score."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from components.artifacts.examples import Examples
from pipeline.definition import pipeline
from pipeline.engine.execute import Execution
from pipeline.engine.plan import complete, plan
from pipeline.engine.process_settings import fix_settings
from pipeline.engine.store import Store
from pipeline.screen.console import console, log_to
from pipeline.settings.fallback import obtainable
from pipeline.settings.options import Request, parse_run
from serving.arguments.parser import Arguments
from serving.errors import BeamlineError, InputError
from serving.files import fsync_path, remove_abandoned, sha256_file, staged_file
from serving.interrupts import defer_interrupts
from serving.out_path import require_out_path, write_error
from serving.process.program import PIPELINE, SCORER


def sample(arguments: list[str]) -> int:
    """Writes the images of a split as .npy, and its labels as `<name>.labels.npy`.

    Returns: 0, or what the ingest failed with. Raises: InputError: a wrong flag, or a place that cannot be written.
    """
    parser = Arguments(
        prog=f"{PIPELINE} sample",
        description="Writes the images of a split as .npy to score, and their labels beside it.",
        epilog=f"Every flag of `{PIPELINE} run` is accepted too, e.g. those that select the data set.",
    )
    parser.add_argument("--split", choices=("train", "test"), default="test", help="the split (default: %(default)s)")
    out = "the file to write; labels are written beside it (default: %(default)s)"
    parser.add_argument("--out", type=Path, default=Path("images.npy"), metavar="FILE", help=out)
    given, rest = parser.parse_known_args(arguments)
    require_out_path(given.out, suffixes=(".npy",))
    request = parse_run(rest)
    with console(request.verbosity):
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
                f"the {split} split of {examples.dataset} holds {got}, samples are uint8 images and int64 labels: "
                "run the pipeline on it, which reports the invalid rows"
            )
    shape = (examples.rows(split), *examples.image_shape)
    labels_file = out.with_name(out.stem + ".labels.npy")
    images, labels = map(examples.images, blocks), map(examples.labels, blocks)
    remove_abandoned(out.parent)
    # Both or none: a user would trust labels beside images of another split.
    with ExitStack() as staged:
        staged.enter_context(_staged(out, shape, np.uint8, images))
        staged.enter_context(_staged(labels_file, shape[:1], np.int64, labels))
        with defer_interrupts():
            staged.close()
    fsync_path(out.parent)
    print(f"{shape[0]:,} images of {split} -> {out}, labels -> {labels_file}")
    print(f"score:  {SCORER} {out}")
    return 0


def _examples(request: Request, store: Store) -> Examples | int:
    """The ingested data set, ingested now if it is missing; the exit code if that fails."""
    config = request.config
    steps = pipeline(config)[:1]
    context = config.context()
    outcomes = plan(steps, store, context)
    if not outcomes:
        with log_to(config.runs / "logs" / "sample.log", request.verbosity):
            fix_settings(config.train.intra_op_threads)
            outcomes = complete(
                steps, outcomes, store, Execution(context, config.beam, places=config.places(promotes=False))
            )
    (outcome,) = outcomes.values()
    if outcome.artifact is None:
        print(f"sample: {'; '.join(outcome.reasons)}", file=sys.stderr)
        return outcome.exit_code
    if (damage := store.damage(outcome.artifact)) is not None:
        folder = store.artifact_folder(outcome.artifact)
        raise BeamlineError(
            f"the ingested images were changed after they were stored ({damage}): delete {folder} and run the command "
            "again"
        )
    return Examples.load(store.payload(outcome.artifact))


@contextmanager
def _staged(
    target: Path, shape: tuple[int, ...], dtype: type[np.generic], parts: Iterable[npt.NDArray[Any]]
) -> Iterator[None]:
    """Writes a whole .npy file beside its target; it takes the target's place at the end of the block.

    Raises: InputError: it cannot be written there, or the target is another file. BeamlineError: the disk fails.
    """
    try:
        with staged_file(target) as file:
            header = {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
            for part in parts:
                file.write(np.ascontiguousarray(part).data)
            file.flush()
            os.fsync(file.fileno())
            require_out_path(
                target,
                lambda: sha256_file(target) == sha256_file(Path(file.name)),
                expected="a file with the same content",
            )
            yield
    except OSError as error:
        raise write_error(target, error) from error
