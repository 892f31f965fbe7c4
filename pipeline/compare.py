"""The command `compare`: several presets on the same data, and which of them is better beyond chance."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

from pipeline.comparison.candidates import Candidate, candidates
from pipeline.comparison.comparison import Comparison, Entry, reserve
from pipeline.comparison.judge import judge_pairs
from pipeline.comparison.rates import ROUNDS, measure_rates
from pipeline.comparison.results import Result, read_result
from pipeline.comparison.runs import UNPROMOTED, run_apart
from pipeline.comparison.words import differences, reasons, table, verdict
from pipeline.console import console
from pipeline.fallback import obtainable
from pipeline.history import History, environment
from pipeline.options import split_beam
from pipeline.presets import PRESETS
from pipeline.report.comparison import write_comparison
from pipeline.report.comparison_page import comparison_page
from pipeline.report.pages import renew_index
from pipeline.store import Store
from serving.arguments import Arguments
from serving.errors import BeamlineError
from serving.interrupts import finishing
from serving.processors import usable_processors

log = logging.getLogger("beamline.compare")


def compare(arguments: list[str]) -> int:
    """Runs several presets, and says which of them is better beyond chance.

    Returns:
        0 where one passed every gate, 1 where none did and one failed, 3 where all were refused; with `--promote` what
        the promotion ended with.

    Raises:
        InputError: a mistake in what was given; nothing was written.
    """
    presets, flags, promote = _split(arguments)
    found = candidates(presets, flags)
    request = found[0].request
    with console(request.screen):
        if (obtained := obtainable(request)) is not request:
            flags = ["--dataset", obtained.config.ingest.dataset, *flags]
            found = candidates(presets, flags)
        comparison, _ = compare_candidates(found, flags)
        best = comparison.best
        if not promote or best is None:
            return comparison.exit_code
        log.info("\npromoting %s, the most accurate that passed every gate", best.preset)
        chosen = next(candidate for candidate in found if candidate.preset == best.preset)
        return run_apart(_before_beam(chosen.arguments, without="--force"), request.config.runs)[0]


def compare_candidates(found: Sequence[Candidate], flags: Sequence[str]) -> tuple[Comparison, Path]:
    """Runs each, one after the other, holds them against each other, says and keeps what came of it.

    Args:
        found: two or more, with the same data.
        flags: that they have in common.

    Returns:
        The comparison, and the file that it is kept in.

    Raises:
        BeamlineError: they were not judged on the same test images.
    """
    started, began = time.perf_counter(), datetime.now(UTC).isoformat(timespec="seconds")
    config = found[0].request.config
    store, history = Store(config.runs), History(config.runs)
    ended = []
    for number, candidate in enumerate(found, 1):
        log.info("\n%s, %d of %d", candidate.preset, number, len(found), extra={"event": _begun(candidate)})
        ended.append(run_apart(_before_beam(candidate.arguments, more=UNPROMOTED), config.runs))
    with store.shared():
        records = history.records()
        results = [
            read_result(candidate.preset, record, code, records, store)
            for candidate, (code, record) in zip(found, ended, strict=True)
        ]
        comparison = Comparison(
            began=began,
            seconds=0.0,
            dataset=config.ingest.dataset,
            test_sha256=_same_test(results),
            arguments=tuple(flags),
            entries=_with_rates(results),
            pairs=judge_pairs({r.entry.preset: r.outcomes.correct for r in results if r.outcomes is not None}),
            rounds=ROUNDS,
            threads=usable_processors(),
            environment=environment(),
        )
    comparison = replace(comparison, seconds=round(time.perf_counter() - started, 3))
    return comparison, _keep(comparison, config.runs)


def _split(arguments: list[str]) -> tuple[list[str], list[str], bool]:
    """The presets, the flags of `run`, and whether to promote."""
    ours, beam = split_beam(arguments)
    words = [word for word in ours if word != "--promote"]
    first = next((index for index, word in enumerate(words) if word.startswith("-")), len(words))
    presets, flags = words[:first], words[first:]
    parser = Arguments(
        prog="python -m pipeline compare",
        description="Runs several presets on the same data, and says which of them is better beyond chance.",
        epilog="Every flag of `python -m pipeline run` but --preset is taken too, after the presets.",
    )
    parser.usage = "%(prog)s [PRESET ...] [--promote] [flags of run]"
    parser.add_argument(
        "presets", nargs="*", metavar="PRESET", help="a name or a JSON file; without any, all that are built in"
    )
    parser.add_argument("--promote", action="store_true", help="promote the most accurate that passed every gate")
    if any(word in ("-h", "--help") for word in ours):
        parser.parse_args(["--help"])
    for word in flags:
        if word.split("=")[0] in ("--preset", "--promotion", "--no-promotion"):
            parser.error(f"{word} is no flag of compare: the presets come first, and --promote promotes the best")
    return presets or list(PRESETS), [*flags, *(["--", *beam] if beam else [])], "--promote" in ours


def _before_beam(arguments: Sequence[str], more: str | None = None, without: str | None = None) -> list[str]:
    ours, beam = split_beam(list(arguments))
    kept = [word for word in ours if word != without]
    return [*kept, *([more] if more else []), *(["--", *beam] if beam else [])]


def _same_test(results: Sequence[Result]) -> str:
    digests = {result.outcomes.sha256 for result in results if result.outcomes is not None}
    if len(digests) > 1:
        raise BeamlineError("the data changed between two of the runs, which cannot be compared so: run it again")
    return next(iter(digests), "")


def _with_rates(results: Sequence[Result]) -> tuple[Entry, ...]:
    bundles = {result.entry.preset: result.bundle for result in results if result.bundle is not None}
    examples = next((result.examples for result in results if result.bundle is not None), None)
    rates = {} if examples is None else measure_rates(bundles, examples.all_images("test"))
    return tuple(replace(result.entry, rate=rates.get(result.entry.preset)) for result in results)


def _begun(candidate: Candidate) -> dict[str, object]:
    return {"event": "preset", "preset": candidate.preset}


def _keep(comparison: Comparison, runs: Path) -> Path:
    """Says what came of it, and writes it down."""
    with finishing():
        file = reserve(runs)
        comparison.save(file)
    shown = _draw(comparison, file)
    renew_index(runs)
    event = {"event": "comparison", "file": str(file), "exit_code": comparison.exit_code, **asdict(comparison)}
    ending = [verdict(comparison), " ".join(["kept in", *map(str, [file, *shown])])]
    parts = [[table(comparison)], reasons(comparison), differences(comparison), ending]
    said = "\n\n".join("\n".join(part) for part in parts if part)
    log.log(logging.WARNING if comparison.exit_code else logging.INFO, "\n%s", said, extra={"event": event})
    return file


def _draw(comparison: Comparison, file: Path) -> list[Path]:
    """Writes picture and page beside the figures; that they cannot be drawn is said, and is no failure."""
    picture, page = file.with_suffix(".png"), file.with_suffix(".html")
    try:
        if comparison.ranked:
            write_comparison(comparison, picture)
        page.write_text(comparison_page(comparison, file.stem), encoding="utf-8")
    except Exception as error:
        log.debug("comparison %s", file.stem, exc_info=True)
        log.warning("the pictures of comparison %s could not be drawn: %s: %s", file.stem, type(error).__name__, error)
    return [path for path in (picture, page) if path.exists()]
