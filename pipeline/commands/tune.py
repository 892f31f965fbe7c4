"""tune: search for a better recipe, and compare the best one with the preset that the search starts from."""

from __future__ import annotations

import argparse
import logging
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from components import train
from pipeline.comparison.candidate_runs import compare_candidates
from pipeline.comparison.candidates import parse_candidates
from pipeline.comparison.comparison import Comparison
from pipeline.comparison.seeds import remember_recipes
from pipeline.comparison.wording import format_pair
from pipeline.engine.outcome import exit_code
from pipeline.engine.process_settings import fix_settings
from pipeline.engine.store import Store
from pipeline.report.comparison_report import report_comparison
from pipeline.screen.console import console, log_to
from pipeline.settings.fallback import obtainable
from pipeline.settings.feasibility import require_feasible
from pipeline.settings.options import Request, parse_run
from pipeline.settings.preset_file import SUFFIX, same_recipe, write_preset
from pipeline.tracking.track import require_tracker
from pipeline.tuning.output_preset import require_own_output, require_preset_name
from pipeline.tuning.search import Budget, best_trial, describe_recipe, load_search_data, run_data_steps, search
from pipeline.tuning.space import values_of
from pipeline.tuning.study import Trial, finished_trials, open_study, record_test_evaluation
from serving.arguments.parser import Arguments
from serving.arguments.ranges import Range
from serving.interrupts import Terminated
from serving.process.program import PIPELINE

log = logging.getLogger("beamline.tune")

# Used if the recipe that the search starts from has no validation fraction.
VALIDATION_FRACTION = 1 / 6


@dataclass(frozen=True)
class TuneOptions:
    """The arguments of `tune`.

    Attributes:
        request: the flags of `run`.
        baseline: the recipe that the search starts from.
        budget: when the search ends.
        out: where to write the best recipe; None means the study's folder.
        seeds: number of seeds with which the best recipe and the baseline are compared at the end.
        flags: the flags of `run`, without those that set the recipe.
    """

    request: Request
    baseline: train.Params
    budget: Budget
    out: Path | None
    seeds: int
    flags: tuple[str, ...]


def tune(arguments: list[str]) -> int:
    """Searches for a better recipe than a preset's, and compares the best one with the preset on the test set.

    Returns:
        0 if no trial was better than the preset, otherwise the exit code of the comparison; 1 if no trial finished; 3
        if a gate refused the data.

    Raises:
        InputError: an argument is wrong; nothing was written.
        BeamlineError: the preset cannot be trained, or another search uses the study.
    """
    given, rest = _parser().parse_known_args(arguments)
    _require_valid(given)
    options = _options(given, rest)
    config = options.request.config
    require_feasible(config)
    if options.request.track:
        require_tracker(config.runs, config.model)
    with console(options.request.verbosity):
        if (obtained := obtainable(options.request)) is not options.request:
            options = _options(given, ["--dataset", obtained.config.ingest.dataset, *rest])
        try:
            return _tune(options)
        except (KeyboardInterrupt, Terminated):
            log.warning("\nstopped; the same command continues the search")
            raise


def _parser() -> Arguments:
    parser = Arguments(
        prog=f"{PIPELINE} tune",
        description="Searches for a better recipe on a part of the training split, and compares the best one with the "
        "preset that the search started from, on the test split.",
        epilog=f"Every flag of `{PIPELINE} run` is accepted too. The same command continues a stopped search.",
    )
    trials = "number of trials to finish (default: %(default)s)"
    parser.add_argument("--trials", type=Range(1, 100_000).whole, default=20, metavar="N", help=trials)
    parser.add_argument(
        "--timeout", type=Range(0, 10**9, above=True).number, metavar="SECONDS", help="time after which no trial starts"
    )
    seeds = "compare the best recipe and the preset with N seeds each at the end (default: %(default)s)"
    parser.add_argument("--seeds", type=Range(1, 1000).whole, default=1, metavar="N", help=seeds)
    out = "the best recipe (default: runs/tuning/STUDY/best-STUDY.json)"
    parser.add_argument("--out", type=Path, metavar="FILE", help=out)
    return parser


def _require_valid(given: argparse.Namespace) -> None:
    if given.out is not None:
        require_preset_name(given.out)


def _options(given: argparse.Namespace, rest: Sequence[str]) -> TuneOptions:
    request = parse_run(list(rest))
    recipe = request.config.train
    baseline = replace(recipe, validation_fraction=recipe.validation_fraction or VALIDATION_FRACTION)
    # Raises if the search space does not contain the baseline.
    values_of(baseline)
    return TuneOptions(
        request, baseline, Budget(given.trials, given.timeout), given.out, given.seeds, _without_recipe(rest)
    )


def _without_recipe(arguments: Sequence[str]) -> tuple[str, ...]:
    """The arguments without the flags that set the recipe, and their values."""
    kept, dropping = [], False
    for argument in arguments:
        if argument.startswith("--"):
            dropping = argument.split("=")[0] == "--preset" or argument.startswith("--train.")
        if not dropping:
            kept.append(argument)
    return tuple(kept)


def _tune(options: TuneOptions) -> int:
    config = replace(options.request.config, train=options.baseline)
    store, tuning = Store(config.runs), config.runs / "tuning"
    tuning.mkdir(parents=True, exist_ok=True)
    with store.shared(), log_to(tuning / "tune.log", options.request.verbosity):
        fix_settings(options.baseline.intra_op_threads)
        outcomes = run_data_steps(config, store, options.request.force)
        if code := exit_code(outcomes):
            stopped = next(outcome for outcome in outcomes.values() if not outcome.passed)
            log.warning("\nstopped at %s: %s", stopped.name, "; ".join(stopped.reasons))
            return code
        data = load_search_data(config, store, outcomes)
        folder = tuning / data.study
        event = {"event": "study", "study": data.study, "folder": str(folder)}
        log.info("\nstudy %s, in %s", data.study, folder, extra={"event": event})
        best, baseline = (folder / f"{name}-{data.study}{SUFFIX}" for name in ("best", "baseline"))
        with open_study(folder) as study:
            if options.out is not None:
                require_own_output(options.out, best, finished_trials(study, options.baseline))
            trials = search(study, options.baseline, (data.examples, data.transform), options.budget, folder)
            if not trials:
                log.warning("no trial finished within %s seconds: give a longer --timeout", options.budget.seconds)
                return 1
            found = best_trial(trials)
            improved = not same_recipe(found.recipe, options.baseline)
            evaluations = record_test_evaluation(study, found) if improved else 0
        for file in filter(None, (best, options.out)):
            write_preset(file, found.recipe)
        write_preset(baseline, options.baseline)
    _log_best(options, trials, options.out or best)
    return _compare(options, options.out or best, baseline, evaluations) if improved else 0


def _log_best(options: TuneOptions, trials: Sequence[Trial], preset: Path) -> None:
    best, first, name = best_trial(trials), trials[0], options.baseline.preset
    command = shlex.join([*PIPELINE.split(), "run", "--preset", str(preset), *options.flags])
    event = {"event": "best", "trial": best.index, "val_accuracy": best.accuracy, "preset": str(preset)}
    event |= {"baseline_val_accuracy": first.accuracy, "trials": len(trials), "command": command}
    lines = [
        f"\n{len(trials)} trials; the best is number {best.index + 1}, with validation accuracy {best.accuracy:.4f}; "
        f"{name} has {first.accuracy:.4f}",
        describe_recipe(best.recipe),
        f"preset: {preset}",
        f"run:    {command}",
    ]
    log.info("%s", "\n".join(lines), extra={"event": event})
    if same_recipe(best.recipe, options.baseline):
        log.info("no trial was better than %s, so the test set was not used", name)


def _compare(options: TuneOptions, best: Path, baseline: Path, evaluations: int) -> int:
    """Trains the best recipe and the baseline as two runs, and compares them on the test set."""
    log.info(
        "\ncomparing the best preset with the baseline %s (%s, with validation fraction %.3g as in every trial)",
        *(baseline.stem, options.baseline.preset, options.baseline.validation_fraction),
    )
    candidates = parse_candidates([str(best), str(baseline)], options.flags, options.seeds)
    comparison = compare_candidates(candidates, options.flags)
    remember_recipes(comparison, candidates, report_comparison(comparison, options.request.config.runs))
    _log_test(comparison, evaluations)
    return comparison.exit_code


def _log_test(comparison: Comparison, evaluations: int) -> None:
    for pair in comparison.pairs:
        difference = "significantly better" if pair.significant else "no significant difference"
        message = f"on the test set {pair.better} against {pair.worse}: {format_pair(pair)}, {difference}"
        if evaluations > 1:
            message += f"; this search has used the test set {evaluations} times, and p is not corrected for that"
        event = {"event": "test", "significant": pair.significant, "looks": evaluations, "words": message}
        log.info("%s", message, extra={"event": event})
