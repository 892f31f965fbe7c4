"""The command `tune`: searches for a better recipe on the training split, then looks at the test split once."""

from __future__ import annotations

import argparse
import contextlib
import logging
import math
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from components import train
from components.artifacts.examples import Examples
from components.artifacts.transform import Transform
from pipeline.compare import compare_candidates
from pipeline.comparison.candidates import candidates
from pipeline.comparison.comparison import Comparison
from pipeline.comparison.words import pair_in_words
from pipeline.console import console, log_to
from pipeline.definition import pipeline
from pipeline.fallback import obtainable
from pipeline.options import Request, parse_run
from pipeline.outcome import Made, exit_code
from pipeline.preset_file import SUFFIX, read_preset, same_recipe, write_preset
from pipeline.presets import PRESETS
from pipeline.progress import tell
from pipeline.run import complete, plan, require_feasible, set_threads
from pipeline.store import PAYLOAD, Store
from pipeline.tuning import space
from pipeline.tuning.search import Bounds, best_of, in_words, search
from pipeline.tuning.study import Trial, count_look, finished, opened, study_name
from serving.arguments import Arguments
from serving.errors import InputError
from serving.interrupts import Terminated
from serving.registry import require_plain_name

log = logging.getLogger("beamline.tune")

# Of the training rows, where the recipe that the search begins with holds none out.
VALIDATION_FRACTION = 1 / 6


@dataclass(frozen=True)
class Search:
    """What is to be searched.

    Attributes:
        request: the flags of `run`.
        base: the recipe that the search begins with.
        bounds: when it ends.
        out: where the best recipe is written; None names it after the study.
        flags: of `run`, for the recipes that come out: without a preset and single values of one.
    """

    request: Request
    base: train.Params
    bounds: Bounds
    out: Path | None
    flags: tuple[str, ...]


def tune(arguments: list[str]) -> int:
    """Searches for a better recipe than a preset's, and holds the best against it on the test split.

    Returns:
        0 where a better one was found and it or the preset passed every gate, or none was found; else as `compare`.

    Raises:
        InputError: a mistake in what was given; nothing was written.
        BeamlineError: the preset cannot be trained, or another search of the same is going on.
    """
    given, rest = _parser().parse_known_args(arguments)
    _require_bounds(given)
    asked = _search(given, rest)
    require_feasible(asked.request)
    with console(asked.request.screen):
        if (obtained := obtainable(asked.request)) is not asked.request:
            asked = _search(given, ["--dataset", obtained.config.ingest.dataset, *rest])
        try:
            return _tune(asked)
        except (KeyboardInterrupt, Terminated):
            log.warning("\nstopped; the same command goes on from there")
            raise


def _parser() -> Arguments:
    parser = Arguments(
        prog="python -m pipeline tune",
        description="Searches for a better recipe on a share of the training split, and holds the best against the "
        "preset that it began from, on the test split.",
        epilog="Every flag of `python -m pipeline run` is taken too. The same command goes on where it was stopped.",
    )
    parser.add_argument("--trials", type=int, default=20, metavar="N", help="that are finished (default: %(default)s)")
    parser.add_argument("--timeout", type=float, metavar="SECONDS", help="after which no further trial begins")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="the best recipe (default: runs/tuning/STUDY/best-STUDY.json)"
    )
    return parser


def _require_bounds(given: argparse.Namespace) -> None:
    if given.trials < 1:
        raise InputError(f"--trials {given.trials}: give 1 or more")
    if given.timeout is not None and not 0 < given.timeout < math.inf:
        raise InputError(f"--timeout {given.timeout:g}: give seconds, more than 0")
    out: Path | None = given.out
    if out is None:
        return
    if out.suffix != SUFFIX:
        raise InputError(f"--out {out} ends in {out.suffix!r}: give a name that ends in {SUFFIX}")
    if out.stem in PRESETS:
        raise InputError(f"--out {out}: {out.stem} is the name of a preset that is built in: give another name")
    try:
        require_plain_name(out.stem)
    except InputError as error:
        raise InputError(f"--out {out}: {error}") from None
    if not out.parent.is_dir():
        raise InputError(f"--out {out}: {out.parent} is no folder: make it first, or give another place")
    if out.exists():
        try:
            read_preset(out)
        except InputError:
            raise InputError(f"--out {out} exists and is no preset: move it away, or give another place") from None


def _search(given: argparse.Namespace, rest: Sequence[str]) -> Search:
    request = parse_run(list(rest))
    recipe = request.config.train
    base = replace(recipe, validation_fraction=recipe.validation_fraction or VALIDATION_FRACTION)
    space.values_of(base)
    return Search(request, base, Bounds(given.trials, given.timeout), given.out, _without_recipe(rest))


def _without_recipe(arguments: Sequence[str]) -> tuple[str, ...]:
    """All flags but those that say a recipe, with their values."""
    kept, dropping = [], False
    for word in arguments:
        if word.startswith("--"):
            dropping = word.split("=")[0] == "--preset" or word.startswith("--train.")
        if not dropping:
            kept.append(word)
    return tuple(kept)


def _tune(asked: Search) -> int:
    config = replace(asked.request.config, train=asked.base)
    store = Store(config.runs)
    tuning = config.runs / "tuning"
    tuning.mkdir(parents=True, exist_ok=True)
    with store.shared(), log_to(tuning / "tune.log", asked.request.screen):
        set_threads(asked.base.intra_op_threads)
        *data_steps, training = pipeline(config, run="")[:5]
        made = {} if asked.request.force else plan(tuple(data_steps), store)
        for outcome in made.values():
            tell(outcome)
        made = complete(tuple(data_steps), made, store, asked.request)
        if code := exit_code(made):
            stopped = next(outcome for outcome in made.values() if not outcome.passed)
            log.warning("\nstopped at %s: %s", stopped.name, "; ".join(stopped.reasons))
            return code
        digests = {name: str(made[source.name].sha256) for name, source in training.inputs.items()}
        name = study_name(training.key(training.parts(digests, {})))
        event = {"event": "study", "study": name, "folder": str(tuning / name)}
        log.info("\nstudy %s, in %s", name, tuning / name, extra={"event": event})
        best, baseline = (tuning / name / f"{what}-{name}{SUFFIX}" for what in ("best", "baseline"))
        with opened(tuning / name) as study:
            require_own(asked.out, best, finished(study, asked.base))
            data = Examples.load(_payload(made, "ingest", store)), Transform.load(_payload(made, "transform", store))
            done = search(study, asked.base, data, asked.bounds, tuning / name)
            if not done:
                log.warning("no trial was finished in %s seconds", asked.bounds.seconds)
                return 1
            looks = 0 if same_recipe(best_of(done).recipe, asked.base) else count_look(study, best_of(done))
        for file in filter(None, (best, asked.out)):
            write_preset(file, best_of(done).recipe)
        write_preset(baseline, asked.base)
    return _conclude(asked, done, asked.out or best, baseline, looks)


def require_own(out: Path | None, best: Path, done: Sequence[Trial]) -> None:
    """Refuses to write over what this search did not write, as the preset that it begins with.

    Args:
        out: where the best recipe is to be written; None is the study's own place.
        best: the study's own file of it.
        done: the finished trials, of which the first is the preset itself.

    Raises:
        InputError: there is another file.
    """
    if out is None or not out.exists() or (best.exists() and out.read_bytes() == best.read_bytes()):
        return
    # A kill between the two files leaves the recipe of another trial in one of them.
    with contextlib.suppress(InputError):
        found = read_preset(out)
        if any(same_recipe(replace(found, seed=trial.recipe.seed), trial.recipe) for trial in done[1:]):
            return
    raise InputError(f"--out {out} exists, and not from this search: move it away, or give another name")


def _payload(made: Made, step: str, store: Store) -> Path:
    return store.root / "artifacts" / str(made[step].artifact) / PAYLOAD


def _conclude(asked: Search, done: Sequence[Trial], best: Path, baseline: Path, looks: int) -> int:
    """Says which trial was the best, and looks at the test split, as the search does for the `looks`th time."""
    found, first = best_of(done), done[0]
    command = shlex.join(["python", "-m", "pipeline", "run", "--preset", str(best), *asked.flags])
    event = {"event": "best", "trial": found.index, "val_accuracy": found.accuracy, "preset": str(best)}
    event |= {"baseline_val_accuracy": first.accuracy, "trials": len(done), "command": command}
    log.info(
        "\n%d trials; the best is number %d with %.4f on the validation share, %s itself has %.4f\n%s\npreset: %s\n"
        "run:    %s",
        len(done),
        found.index + 1,
        found.accuracy,
        asked.base.preset,
        first.accuracy,
        in_words(found.recipe),
        best,
        command,
        extra={"event": event},
    )
    if same_recipe(found.recipe, asked.base):
        log.info("no trial was better than %s: there is nothing to look at on the test split", asked.base.preset)
        return 0
    log.info(
        "\nholding it against %s: %s with the share of %.3g of the training rows held out, as in every trial",
        *(baseline.stem, asked.base.preset, asked.base.validation_fraction),
    )
    comparison, _ = compare_candidates(candidates([str(best), str(baseline)], asked.flags), asked.flags)
    _tell_test(comparison, looks)
    return comparison.exit_code


def _tell_test(comparison: Comparison, looks: int) -> None:
    for pair in comparison.pairs:
        said = "better beyond chance" if pair.significant else "no difference beyond chance"
        words = f"on the test split {pair.better} against {pair.worse}: {pair_in_words(pair)}, {said}"
        if looks > 1:
            words += f"; look number {looks} of this search at the test split, for which p is not corrected"
        event = {"event": "test", "significant": pair.significant, "looks": looks, "words": words}
        log.info("%s", words, extra={"event": event})
