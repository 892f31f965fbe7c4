"""compare: run several presets, and show which differences are significant."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from pipeline.comparison.candidate_runs import compare_candidates
from pipeline.comparison.candidates import change_flags, parse_candidates
from pipeline.comparison.child_process import run_in_child_process
from pipeline.comparison.seeds import remember_recipes
from pipeline.report.comparison_report import report_comparison
from pipeline.screen.console import console
from pipeline.settings.fallback import obtainable
from pipeline.settings.options import split_beam
from pipeline.settings.presets import PRESETS
from pipeline.tracking.track import require_tracker
from serving.arguments.parser import Arguments
from serving.arguments.ranges import Range
from serving.process.program import PIPELINE

log = logging.getLogger("beamline.compare")


def compare(arguments: list[str]) -> int:
    """Runs several presets and compares them.

    Returns:
        0 if one passed every gate, 1 if none passed and one failed, 3 if all were refused; with `--promote` the exit
        code of the promotion.

    Raises: InputError: an argument is wrong; nothing was written.
    """
    given = _parse(arguments)
    presets, flags, seeds = given.presets, given.flags, given.seeds
    candidates = parse_candidates(presets, flags, seeds)
    request = candidates[0].request
    if request.track:
        require_tracker(request.config.runs, request.config.model)
    with console(request.verbosity):
        if (obtained := obtainable(request)) is not request:
            flags = ["--dataset", obtained.config.ingest.dataset, *flags]
            candidates = parse_candidates(presets, flags, seeds)
        comparison = compare_candidates(candidates, flags)
        file = report_comparison(comparison, request.config.runs)
        if kept := remember_recipes(comparison, candidates, file):
            log.info("promotions of %s use what the seed moved here as their margin", ", ".join(kept))
        best = comparison.best
        if not given.promote or best is None:
            return comparison.exit_code
        which = f", with seed {best.seeds[0]}, its first" if best.seeds else ""
        log.info("\npromoting %s, the most accurate preset that passed every gate%s", best.preset, which)
        chosen = next(candidate for candidate in candidates if candidate.preset == best.preset)
        code, _ = run_in_child_process(change_flags(chosen.arguments, remove="--force"), request.config.runs)
        return code


@dataclass(frozen=True)
class CompareOptions:
    """The arguments of `compare`.

    Attributes:
        presets: names or files.
        flags: the flags of `run`, the Beam arguments last.
        seeds: number of seeds of each preset.
        promote: promote the most accurate preset.
    """

    presets: list[str]
    flags: list[str]
    seeds: int
    promote: bool


def _parse(arguments: list[str]) -> CompareOptions:
    ours, beam = split_beam(arguments)
    parser = _parser()
    if any(argument in ("-h", "--help") for argument in ours):
        named = "a name or a JSON file (default: all built-in presets)"
        parser.add_argument("presets", nargs="*", metavar="PRESET", help=named)
        parser.parse_args(["--help"])
    # The presets end at the first flag: argparse would take the values of the flags of `run` for presets.
    first = next((index for index, argument in enumerate(ours) if argument.startswith("-")), len(ours))
    given, flags = parser.parse_known_args(ours[first:])
    for flag in flags:
        if flag.split("=")[0] in ("--preset", "--promotion", "--no-promotion"):
            parser.error(f"compare does not accept {flag}: name the presets first, and use --promote for the best one")
    flags += ["--", *beam] if beam else []
    return CompareOptions(ours[:first] or list(PRESETS), flags, given.seeds or 1, given.promote)


def _parser() -> Arguments:
    parser = Arguments(
        prog=f"{PIPELINE} compare",
        description="Runs several presets on the same data, and shows which differences are significant.",
        epilog=f"After the presets, every flag of `{PIPELINE} run` except --preset is accepted too.",
    )
    parser.usage = "%(prog)s [PRESET ...] [--seeds N] [--promote] [flags of run]"
    several = "train each preset with N seeds, and compare recipes instead of single models"
    parser.add_argument("--seeds", type=Range(2, 1000).whole, metavar="N", help=several)
    best = "promote the most accurate preset that passed every gate"
    parser.add_argument("--promote", action="store_true", help=best)
    return parser
