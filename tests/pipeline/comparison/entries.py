"""Entries and comparisons without any run behind them."""

from __future__ import annotations

import numpy as np

from pipeline.comparison.comparison import Comparison, Entry, Rate
from pipeline.comparison.pair_tests import compare_pairs
from serving.wilson import wilson_interval


def entry(preset: str, correct: int, rows: int = 1000, verdict: str = "passed", **values) -> Entry:
    passed = verdict == "passed"
    defaults = {
        "run": "0001",
        "step": None if passed else "evaluate",
        "reasons": () if passed else ("too few",),
        "layers": "64 → 10 softmax",
        "epochs": 5,
        "batch_size": 40,
        "parameters": 1000,
        "interval": wilson_interval(correct, rows),
        "training_seconds": 12.5,
        "run_seconds": 20.0,
        "onnx_bytes": 4000 if passed else None,
        "rate": Rate(1_234_567.0, 1_000_000.0, 1_400_000.0) if passed else None,
    }
    return Entry(preset, verdict=verdict, rows=rows, correct=correct, **{**defaults, **values})


def failed(preset: str) -> Entry:
    return Entry(preset, None, "failed", reasons=("the run did not finish (exit code -9)",))


def comparison(*entries: Entry) -> Comparison:
    """Each model is correct on its first rows, so that a worse model is correct on no other row."""
    correct = {one.preset: np.arange(one.rows)[None] < one.correct for one in entries if one.rows}
    return Comparison(
        began="2026-01-02T03:04:05+00:00",
        seconds=60.0,
        dataset="digits",
        test_sha256="ab" * 32,
        arguments=("--seed", "3"),
        entries=entries,
        pairs=compare_pairs(correct),
        rounds=15,
        threads=2,
        environment={"python": "3.11.7", "machine": "x86_64", "system": "Linux", "processors": 2},
    )
