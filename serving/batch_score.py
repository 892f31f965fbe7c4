"""The command `python -m serving.batch_score images.npy`: files of images in, a file of predictions out."""

from __future__ import annotations

import gc

if __name__ == "__main__":
    # Nothing that is imported is ever garbage, and to look for it again and again takes a tenth of a small file's time.
    gc.disable()
    import signal

    # Until there is somebody who can say it in a line, Ctrl-C ends the process as it ends any other.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from serving.arguments import Arguments
from serving.bundle import Bundle
from serving.drift import Baseline
from serving.errors import BeamlineError, InputError
from serving.formats import ENDINGS, format_for
from serving.formats.format import Columns
from serving.images import find_images
from serving.inputs.blocks import Source
from serving.inputs.open_file import shown
from serving.interrupts import Terminated, raise_on_signals
from serving.job import Job
from serving.output import Output
from serving.replaceable import require_replaceable
from serving.report import closing_line, report, report_lines
from serving.scorer import FILES, Scorer
from serving.selection import find_bundle

if TYPE_CHECKING:
    from serving.labels import Labels

DRIFTED = 5
IMAGES = (
    ".npy or IDX (.gz too) of uint8 (n, h, w), (n, h, w, c) or (n, h·w·c), 0 to 255; PNG and JPEG files; folders of "
    "these; patterns"
)
MODEL = "a model's name, or the folder of one of its versions (default: the promoted model whose input fits the images)"
MODELS = "the registry (default: %(default)s)"
THREADS = "how many (default: the processors this process may use)"


def main(arguments: list[str] | None = None) -> int:
    """Runs the command.

    Returns:
        0 done, 2 wrong usage or bad input, 4 bundle refused, 5 drift where that was to fail, 1 failed otherwise.
    """
    raise_on_signals()
    try:
        exit_code, lines = _score(_parser().parse_args(arguments))
    except BeamlineError as error:
        print(f"batch_score: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"batch_score: {error}; nothing was written", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, Terminated) as stop:
        terminated = isinstance(stop, Terminated)
        what = "terminated" if terminated else "interrupted"
        print(f"batch_score: {'; '.join([what, *getattr(stop, '__notes__', ())])}", file=sys.stderr)
        return Terminated.exit_code if terminated else 130
    try:
        print(*lines, sep="\n", flush=True)
    except OSError:
        # Nobody listens any more, and the predictions are in place. Python would try once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return exit_code


def _parser() -> Arguments:
    parser = Arguments(
        prog="python -m serving.batch_score",
        description="Scores files of images with the promoted model, with onnxruntime alone.",
    )
    parser.add_argument("images", nargs="+", help=IMAGES)
    parser.add_argument("--model", metavar="NAME|PATH", help=MODEL)
    parser.add_argument("--models", type=Path, default=Path("models"), metavar="D", help=MODELS)
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help=f"where to: {ENDINGS} (default: <images>.predictions.csv beside the images)",
    )
    parser.add_argument("--probabilities", action="store_true", help="write the probability of every class")
    parser.add_argument(
        "--top",
        type=_from_1_to(1 << 20),
        default=1,
        metavar="K",
        help="write the K most probable classes (default: %(default)s)",
    )
    parser.add_argument("--labels", type=Path, metavar="FILE", help="the true labels, integers: say the accuracy")
    parser.add_argument("--fail-on-drift", action="store_true", help=f"exit {DRIFTED} where the images drifted")
    parser.add_argument("--skip-bad", action="store_true", help="leave out pictures that cannot be read, and list them")
    parser.add_argument("--resume", action="store_true", help="go on where an earlier run was stopped or killed")
    parser.add_argument("--overwrite", action="store_true", help="replace an output that is not ours")
    parser.add_argument("--precision", choices=FILES, default="float32", help="int8 is faster (default: %(default)s)")
    parser.add_argument("--threads", type=_from_1_to(1024), metavar="N", help=THREADS)
    parser.add_argument(
        "--batch-size",
        type=_from_1_to(1 << 16),
        metavar="N",
        help="images at a time (default: what suits the images' size, at most 256)",
    )
    return parser


def _from_1_to(most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isdecimal() or not 1 <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to {most:,}")
        return int(text)

    return number


def _score(options: argparse.Namespace) -> tuple[int, list[str]]:
    """Returns: the exit code, and what to say."""
    started = time.perf_counter()
    source = find_images(options.images, options.skip_bad)
    target = options.out or _default_target(options.images)
    read = (*source.paths, *([] if options.labels is None else [options.labels]))
    require_replaceable(target, read, options.overwrite)
    opened = time.perf_counter()
    bundle, version = find_bundle(source, options.models, options.model)
    source.require_fit(bundle.manifest.image_shape)
    columns = Columns(bundle.manifest.labels, source.named, options.probabilities, options.top)
    job = Job(
        source=source,
        scorer=Scorer(bundle, options.threads, options.batch_size, options.precision),
        format=format_for(target, columns),
        labels=None if options.labels is None else _fitting_labels(options.labels, source),
        baseline=_baseline(bundle, options.fail_on_drift),
        skip_bad=options.skip_bad,
    )
    gc.enable()
    loaded = time.perf_counter()
    with Output(target, job.key()) as output, _progress(source.rows) as advance:
        entries = output.resume() if options.resume else []
        if output.differing:
            print(f"batch_score: begins anew: {', '.join(output.differing)} is not as it was", file=sys.stderr)
        done = job.run(output, entries, advance)
        now = time.perf_counter()
        said = report(job, done, version, now - started, loaded - opened, now - loaded)
        facts = {**said, "inputs": [shown(name) for name in options.images]}
        output.commit(facts, job.format.finish, lambda: require_replaceable(target, read, options.overwrite))
    drift = job.drift(done)
    failed = options.fail_on_drift and drift is not None and drift.drifted
    seconds = time.perf_counter() - started
    return DRIFTED if failed else 0, [closing_line(job, done, version, seconds, target), *report_lines(job, done)]


def _default_target(inputs: list[str]) -> Path:
    if len(inputs) > 1 or not os.path.lexists(inputs[0]):
        raise InputError("several inputs: say where their predictions shall stand with --out FILE")
    images = Path(inputs[0])
    if images.name in ("", ".."):
        images = Path(os.path.abspath(images))
    return images.with_name(f"{images.name if images.is_dir() else images.stem}.predictions.csv")


def _fitting_labels(path: Path, source: Source) -> Labels:
    from serving.labels import open_labels

    labels = open_labels(path)
    if labels.rows != source.rows:
        raise InputError(
            f"--labels {path} holds {labels.rows:,} labels for {source.rows:,} images: give one for each, in order"
        )
    return labels


def _baseline(bundle: Bundle, needed: bool) -> Baseline | None:
    baseline = Baseline.load(bundle)
    if baseline is None and needed:
        raise InputError(
            f"--fail-on-drift: {bundle.path} says nothing of its training images: promote the model again, "
            "or leave --fail-on-drift out"
        )
    return baseline


@contextmanager
def _progress(rows: int) -> Iterator[Callable[[int], object]]:
    """A bar on a terminal; elsewhere nothing is even imported for it."""
    if not sys.stderr.isatty():
        yield lambda advanced: None
        return
    from tqdm import tqdm

    with tqdm(total=rows, unit=" images", unit_scale=True, leave=False) as bar:
        yield bar.update


if __name__ == "__main__":
    sys.exit(main())
