"""Files of images -> a file of predictions: the command `beamline-score`, or `python -m serving.batch_score`."""

from __future__ import annotations

import signal

if __name__ == "__main__" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    # Until the command handles signals there is nothing to clean up: Ctrl-C ends the process, without a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from serving.process.program import SCORER

if __name__ == "__main__":
    from serving.batch.startup import prepare_imports

    prepare_imports()

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from serving.arguments.parser import Arguments
from serving.arguments.ranges import Range
from serving.batch.formats import ENDINGS, format_for
from serving.batch.formats.format import Columns
from serving.batch.images import find_images, fit_images
from serving.batch.inputs.open_file import shown
from serving.batch.job import BatchJob
from serving.batch.output import Output
from serving.batch.replaceable import require_replaceable
from serving.batch.startup import start_collecting
from serving.batch.summary import detail_lines, metadata, summary_line
from serving.blocks import Source
from serving.bundle.bundle import Bundle
from serving.drift.drift import Baseline
from serving.errors import BeamlineError, InputError, one_line
from serving.interrupts import Terminated, raise_on_signals
from serving.process.command import run_command
from serving.registry.selection import find_bundle
from serving.scoring.scorer import FILES, Scorer

if TYPE_CHECKING:
    from serving.batch.labels import Labels

DRIFTED = 5
IMAGES = (
    ".npy, .npz of one array, or IDX (.gz too) of uint8 (n, h, w), (n, h, w, c) or (n, h·w·c), 0 to 255; pictures "
    "(PNG, JPEG, WebP, GIF, BMP, TIFF, PNM); folders of these; tables of pixels or pictures (CSV, Parquet, tar); "
    "patterns"
)
MODEL = "a model's name, or the folder of one of its versions (default: the promoted model whose input fits the images)"
MODELS = "the registry (default: %(default)s)"
RESIZE = "resize images of other sizes as the training images were, for a model trained with --ingest.resize"
THREADS = "number of threads (default: the processors this process may use)"


def main(arguments: list[str] | None = None) -> int:
    """Runs the command.

    Returns:
        0 done, 2 wrong usage or bad input, 4 bundle refused, 5 drift with --fail-on-drift, 130 or 143 stopped by
        Ctrl-C or SIGTERM, 1 failed otherwise.
    """
    places: dict[str, Path] = {}
    try:
        raise_on_signals()
        options = _parser().parse_args(arguments)
        places = {"--models": options.models, **({} if options.out is None else {"--out": options.out})}
        exit_code, lines = _score(options)
    except BeamlineError as error:
        print(f"batch_score: {one_line(error)}", file=sys.stderr)
        return error.exit_code
    except Exception as error:
        # Imported here: it would take a tenth of the time to score a small file.
        from serving.faults.wording import failure_sentence

        sentence = failure_sentence(error, places)
        if sentence is None and not isinstance(error, OSError):
            raise
        print(f"batch_score: {one_line(sentence or error)}; nothing was written", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, Terminated) as interruption:
        terminated = isinstance(interruption, Terminated)
        message = "terminated" if terminated else "interrupted"
        print(f"batch_score: {'; '.join([message, *getattr(interruption, '__notes__', ())])}", file=sys.stderr)
        return Terminated.exit_code if terminated else 130
    print(*lines, sep="\n")
    return exit_code


def _parser() -> Arguments:
    parser = Arguments(
        prog=SCORER,
        description="Scores files of images with the promoted model, with onnxruntime alone.",
    )
    parser.add_argument("images", nargs="+", help=IMAGES)
    parser.add_argument("--model", metavar="NAME|PATH", help=MODEL)
    parser.add_argument("--models", type=Path, default=Path("models"), metavar="D", help=MODELS)
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help=f"the output: {ENDINGS} (default: <images>.predictions.csv beside the images)",
    )
    parser.add_argument("--probabilities", action="store_true", help="write the probability of every class")
    parser.add_argument(
        "--top",
        type=Range(1, 1 << 20).whole,
        default=1,
        metavar="K",
        help="write the K most probable classes (default: %(default)s)",
    )
    parser.add_argument(
        "--labels", type=Path, metavar="FILE", help="the true labels, .npy, IDX or a table: print accuracy"
    )
    parser.add_argument("--fail-on-drift", action="store_true", help=f"exit {DRIFTED} if the images drifted")
    parser.add_argument("--resize", action="store_true", help=RESIZE)
    parser.add_argument("--skip-bad", action="store_true", help="skip unreadable pictures, and list them")
    parser.add_argument("--resume", action="store_true", help="continue an earlier run that was stopped or killed")
    parser.add_argument("--overwrite", action="store_true", help="replace a file that is not an output of this command")
    parser.add_argument("--precision", choices=FILES, default="float32", help="int8 is faster (default: %(default)s)")
    parser.add_argument("--threads", type=Range(1, 1024).whole, metavar="N", help=THREADS)
    parser.add_argument(
        "--batch-size",
        type=Range(1, 1 << 16).whole,
        metavar="N",
        help="images in a batch (default: by the size of the images, at most 256, or 1,024 in int8)",
    )
    return parser


def _score(options: argparse.Namespace) -> tuple[int, list[str]]:
    """Scores the images. Returns: the exit code, and the lines on the screen."""
    started = time.perf_counter()
    source = find_images(options.images, options.skip_bad, options.resize)
    target = options.out or _default_target(options.images)
    read = (*source.paths, *([] if options.labels is None else [options.labels]))
    require_replaceable(target, read, options.overwrite)
    opened = time.perf_counter()
    bundle, version = find_bundle(source, options.models, options.model)
    source = fit_images(source, bundle)
    columns = Columns(bundle.manifest.labels, source.named, options.probabilities, options.top)
    job = BatchJob(
        source=source,
        scorer=Scorer(bundle, options.threads, options.batch_size, options.precision),
        format=format_for(target, columns),
        labels=None if options.labels is None else _fitting_labels(options.labels, source, bundle),
        baseline=_baseline(bundle, options.fail_on_drift),
        skip_bad=options.skip_bad,
    )
    start_collecting()
    loaded = time.perf_counter()
    with Output(target, job.dependencies()) as output, _progress(source.rows) as advance:
        entries = output.resume() if options.resume else []
        if output.changed_dependencies:
            changed = ", ".join(name.removesuffix("_sha256") for name in output.changed_dependencies)
            print(
                "batch_score: --resume starts again from the first image, because these inputs or settings are not "
                f"those of the stopped run: {changed}",
                file=sys.stderr,
            )
        result = job.run(output, entries, advance)
        now = time.perf_counter()
        sidecar = metadata(job, result, version, now - started, loaded - opened, now - loaded)
        sidecar["inputs"] = [shown(name) for name in options.images]
        output.commit(sidecar, job.format.finish, lambda: require_replaceable(target, read, options.overwrite))
    failed = options.fail_on_drift and result.drift is not None and result.drift.drifted
    seconds = time.perf_counter() - started
    return DRIFTED if failed else 0, [
        summary_line(job, result, version, seconds, target),
        *detail_lines(job, result, target),
    ]


def _default_target(inputs: list[str]) -> Path:
    if len(inputs) > 1 or not os.path.lexists(inputs[0]):
        raise InputError(
            "the name of the output cannot be taken from several inputs or from a pattern: name it with --out FILE"
        )
    images = Path(inputs[0])
    if images.name in ("", ".."):
        images = Path(os.path.abspath(images))
    return images.with_name(f"{images.name if images.is_dir() else images.stem}.predictions.csv")


def _fitting_labels(path: Path, source: Source, bundle: Bundle) -> Labels:
    from serving.batch.labels import open_labels

    labels = open_labels(path, bundle.manifest.labels)
    if labels.rows != source.rows:
        raise InputError(
            f"--labels {path} holds {labels.rows:,} labels for {source.rows:,} images: give one label for each image"
        )
    return labels


def _baseline(bundle: Bundle, needed: bool) -> Baseline | None:
    baseline = Baseline.load(bundle)
    if baseline is None and needed:
        raise InputError(
            f"--fail-on-drift: {bundle.path} has no drift baseline: promote the model again, or omit --fail-on-drift"
        )
    return baseline


@contextmanager
def _progress(rows: int) -> Iterator[Callable[[int], object]]:
    """A progress bar on a terminal; tqdm is imported only there."""
    if not sys.stderr.isatty():
        yield lambda advanced: None
        return
    from tqdm import tqdm

    with tqdm(total=rows, unit=" images", unit_scale=True, leave=False) as bar:
        yield bar.update


if __name__ == "__main__":
    sys.exit(run_command(main))
