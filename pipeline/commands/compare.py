"""compare: run several presets, and show which differences are significant."""

from __future__ import annotations

import logging

from pipeline.comparison.candidate_runs import change_flags, compare_candidates, parse_candidates
from pipeline.comparison.child_process import run_in_child_process
from pipeline.report.comparison_report import report_comparison
from pipeline.screen.console import console
from pipeline.settings.fallback import obtainable
from pipeline.settings.options import split_beam
from pipeline.settings.presets import PRESETS
from pipeline.tracking.track import require_tracker
from serving.arguments import Arguments

log = logging.getLogger("beamline.compare")


def compare(arguments: list[str]) -> int:
    """Runs several presets and compares them.

    Returns:
        0 if one passed every gate, 1 if none passed and one failed, 3 if all were refused; with `--promote` the exit
        code of the promotion.

    Raises: InputError: an argument is wrong; nothing was written.
    """
    presets, flags, promote = _parse(arguments)
    candidates = parse_candidates(presets, flags)
    request = candidates[0].request
    if request.track:
        require_tracker(request.config.runs, request.config.model)
    with console(request.verbosity):
        if (obtained := obtainable(request)) is not request:
            flags = ["--dataset", obtained.config.ingest.dataset, *flags]
            candidates = parse_candidates(presets, flags)
        comparison = compare_candidates(candidates, flags)
        report_comparison(comparison, request.config.runs)
        best = comparison.best
        if not promote or best is None:
            return comparison.exit_code
        log.info("\npromoting %s, the most accurate preset that passed every gate", best.preset)
        chosen = next(candidate for candidate in candidates if candidate.preset == best.preset)
        code, _ = run_in_child_process(change_flags(chosen.arguments, remove="--force"), request.config.runs)
        return code


def _parse(arguments: list[str]) -> tuple[list[str], list[str], bool]:
    """The presets, the flags of `run`, and whether to promote."""
    ours, beam = split_beam(arguments)
    own = [argument for argument in ours if argument != "--promote"]
    first = next((index for index, argument in enumerate(own) if argument.startswith("-")), len(own))
    presets, flags = own[:first], own[first:]
    parser = Arguments(
        prog="python -m pipeline compare",
        description="Runs several presets on the same data, and shows which differences are significant.",
        epilog="After the presets, every flag of `python -m pipeline run` except --preset is accepted too.",
    )
    parser.usage = "%(prog)s [PRESET ...] [--promote] [flags of run]"
    named = "a name or a JSON file (default: all built-in presets)"
    parser.add_argument("presets", nargs="*", metavar="PRESET", help=named)
    best = "promote the most accurate preset that passed every gate"
    parser.add_argument("--promote", action="store_true", help=best)
    if any(argument in ("-h", "--help") for argument in ours):
        parser.parse_args(["--help"])
    for flag in flags:
        if flag.split("=")[0] in ("--preset", "--promotion", "--no-promotion"):
            parser.error(f"compare does not accept {flag}: name the presets first, and use --promote for the best one")
    return presets or list(PRESETS), [*flags, *(["--", *beam] if beam else [])], "--promote" in ours
