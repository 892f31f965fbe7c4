"""Candidates -> Comparison: runs each with its seeds, tests all pairs, measures the throughput."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt

from components.artifacts.examples import Examples
from pipeline.comparison.candidates import Candidate
from pipeline.comparison.child_process import run_in_child_process
from pipeline.comparison.comparison import Comparison, Entry
from pipeline.comparison.pair_tests import compare_pairs
from pipeline.comparison.rates import ROUNDS, measure_rates
from pipeline.comparison.results import Result, read_result
from pipeline.comparison.seeds import describe_scope, join_seeds
from pipeline.engine.store import Store
from pipeline.records.run_history import Record, RunHistory, environment
from serving.errors import BeamlineError
from serving.machine import usable_processors

log = logging.getLogger("beamline.compare")

# Largest size of the test images that each bundle scores in each round, so that this does not take minutes.
MAX_SCORED_BYTES = 64 * 10**6


def compare_candidates(candidates: Sequence[Candidate], flags: Sequence[str]) -> Comparison:
    """Runs the candidates, two or more, one after the other, without promotion, and compares their results.

    Raises:
        BeamlineError: the test set changed between two runs.
    """
    timer, began = time.perf_counter(), datetime.now(UTC).isoformat(timespec="seconds")
    config, seeds = candidates[0].request.config, len(candidates[0].seeds)
    ended = _run_all(candidates, config.runs)
    store, history = Store(config.runs), RunHistory(config.runs)
    with store.shared():
        records = history.readable(history.runs())
        by_seed = [
            [read_result(candidate.preset, record, code, records, store) for code, record in ended[candidate.preset]]
            for candidate in candidates
        ]
        digest = _shared_test_set([result for results in by_seed for result in results])
        pairs = zip(candidates, by_seed, strict=True)
        results = [join_seeds(results, candidate.seeds) for candidate, results in pairs]
        comparison = Comparison(
            began=began,
            seconds=0.0,
            dataset=config.ingest.dataset,
            test_sha256=digest,
            arguments=tuple(flags),
            entries=_with_rates(results),
            pairs=compare_pairs(_comparable(results, seeds)),
            rounds=ROUNDS,
            threads=usable_processors(),
            environment=environment(),
            seeds=seeds,
            scope=describe_scope(candidates),
        )
    return replace(comparison, seconds=round(time.perf_counter() - timer, 3))


def _run_all(candidates: Sequence[Candidate], runs: Path) -> dict[str, list[tuple[int, Record | None]]]:
    """Exit code and record of each run, by preset, in the order of the seeds."""
    ended: dict[str, list[tuple[int, Record | None]]] = {candidate.preset: [] for candidate in candidates}
    everything = [(candidate, seed) for candidate in candidates for seed in candidate.seeds]
    for number, (candidate, seed) in enumerate(everything, 1):
        event = {"event": "preset", "preset": candidate.preset, "seed": seed}
        name = f"{candidate.preset}, seed {seed}" if len(candidate.seeds) > 1 else candidate.preset
        log.info("\n%s, %d of %d", name, number, len(everything), extra={"event": event})
        ended[candidate.preset].append(run_in_child_process(candidate.run_arguments(seed), runs))
    return ended


def _comparable(results: Sequence[Result], seeds: int) -> dict[str, npt.NDArray[np.bool_]]:
    """The correct predictions by preset, of each preset with enough models: one, or two of several seeds."""
    found = {result.entry.preset: result.correct for result in results if result.correct is not None}
    return {preset: correct for preset, correct in found.items() if len(correct) >= min(seeds, 2)}


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
