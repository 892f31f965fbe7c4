"""Presets and the flags of `run` -> candidates -> Comparison: runs each, tests all pairs, measures the throughput."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import combinations

import numpy as np
import numpy.typing as npt

from components.artifacts.examples import Examples
from pipeline.comparison.child_process import run_in_child_process
from pipeline.comparison.comparison import Comparison, Entry
from pipeline.comparison.pair_tests import compare_pairs
from pipeline.comparison.rates import ROUNDS, measure_rates
from pipeline.comparison.results import Result, read_result
from pipeline.engine.store import Store
from pipeline.records.run_history import RunHistory, environment
from pipeline.settings.feasibility import require_feasible
from pipeline.settings.options import Request, parse_run, split_beam
from pipeline.settings.preset_file import same_recipe
from serving.errors import BeamlineError, InputError
from serving.machine import usable_processors

log = logging.getLogger("beamline.compare")

# Largest size of the test images that each bundle scores in each round, so that this does not take minutes.
MAX_SCORED_BYTES = 64 * 10**6


@dataclass(frozen=True)
class Candidate:
    """One run of a comparison.

    Attributes:
        preset: the preset's name.
        arguments: those of `python -m pipeline run`, without `--no-promotion`.
        request: the parsed arguments.
    """

    preset: str
    arguments: tuple[str, ...]
    request: Request


def parse_candidates(presets: Sequence[str], flags: Sequence[str]) -> list[Candidate]:
    """The runs of two or more presets, names or files, with the same other flags of `run`.

    Raises:
        InputError: an argument is wrong, a preset is given twice, or two presets have the same recipe.
    """
    candidates = []
    for preset in presets:
        arguments = ("--preset", preset, *flags)
        request = parse_run(list(arguments))
        require_feasible(request.config)
        candidates.append(Candidate(request.config.train.preset, arguments, request))
    for one, other in combinations(candidates, 2):
        if one.preset == other.preset:
            raise InputError(f"{one.preset} is given twice: give each preset once, and give files different names")
        if same_recipe(one.request.config.train, other.request.config.train):
            raise InputError(
                f"{one.preset} and {other.preset} have the same recipe with these flags: "
                "leave one out, or remove the flag that makes them equal"
            )
    if len(candidates) < 2:
        raise InputError(
            "one preset cannot be compared with itself: give at least two, or none to compare all built-in presets"
        )
    return candidates


def compare_candidates(candidates: Sequence[Candidate], flags: Sequence[str]) -> Comparison:
    """Runs the candidates, two or more, one after the other, without promotion, and compares their results.

    Raises:
        BeamlineError: the test set changed between two runs.
    """
    timer, began = time.perf_counter(), datetime.now(UTC).isoformat(timespec="seconds")
    config = candidates[0].request.config
    store, history = Store(config.runs), RunHistory(config.runs)
    ended = []
    for number, candidate in enumerate(candidates, 1):
        event = {"event": "preset", "preset": candidate.preset}
        log.info("\n%s, %d of %d", candidate.preset, number, len(candidates), extra={"event": event})
        ended.append(run_in_child_process(change_flags(candidate.arguments, add="--no-promotion"), config.runs))
    with store.shared():
        records = history.readable(history.runs())
        results = [
            read_result(candidate.preset, record, code, records, store)
            for candidate, (code, record) in zip(candidates, ended, strict=True)
        ]
        comparison = Comparison(
            began=began,
            seconds=0.0,
            dataset=config.ingest.dataset,
            test_sha256=_shared_test_set(results),
            arguments=tuple(flags),
            entries=_with_rates(results),
            pairs=compare_pairs({r.entry.preset: r.correct for r in results if r.correct is not None}),
            rounds=ROUNDS,
            threads=usable_processors(),
            environment=environment(),
        )
    return replace(comparison, seconds=round(time.perf_counter() - timer, 3))


def change_flags(arguments: Sequence[str], add: str | None = None, remove: str | None = None) -> list[str]:
    """Arguments of `run` with one flag added or removed; the Beam arguments stay last."""
    ours, beam = split_beam(list(arguments))
    flags = [argument for argument in ours if argument != remove]
    return [*flags, *([add] if add else []), *(["--", *beam] if beam else [])]


def _shared_test_set(results: Sequence[Result]) -> str:
    """The digest of the test set of all results; empty if nothing was evaluated."""
    digests = {result.test_sha256 for result in results if result.test_sha256 is not None}
    if len(digests) > 1:
        raise BeamlineError(
            "the test set changed between two of the runs, so they cannot be compared: "
            "wait until nothing changes the data, then repeat the comparison"
        )
    return next(iter(digests), "")


def _with_rates(results: Sequence[Result]) -> tuple[Entry, ...]:
    bundles = {result.entry.preset: result.bundle for result in results if result.bundle is not None}
    examples = next((result.examples for result in results if result.bundle is not None), None)
    rates = {} if examples is None else measure_rates(bundles, _first_images(examples))
    return tuple(replace(result.entry, rate=rates.get(result.entry.preset)) for result in results)


def _first_images(examples: Examples) -> npt.NDArray[np.uint8]:
    """uint8 (n, h, w, c), 0 to 255: the first test images, up to `MAX_SCORED_BYTES`, at least one."""
    row_bytes = math.prod(examples.image_shape)
    blocks, size = [], 0
    for block in examples.blocks["test"]:
        blocks.append(examples.images(block)[: max(1, (MAX_SCORED_BYTES - size) // row_bytes)])
        size += blocks[-1].nbytes
        if size >= MAX_SCORED_BYTES - row_bytes:
            break
    return np.concatenate(blocks)
