"""Bundles and images -> rates: the throughput of scoring with each bundle, measured in turn."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping

from pipeline.comparison.comparison import Rate
from serving.blocks import Images
from serving.bundle.bundle import Bundle
from serving.scoring.scorer import Scorer

ROUNDS = 15


def measure_rates(bundles: Mapping[str, Bundle], images: Images) -> dict[str, Rate]:
    """Scores the images with each bundle once a round, so that a slow minute of the machine affects all bundles."""
    scorers = {name: Scorer(bundle) for name, bundle in bundles.items()}
    rates: dict[str, list[float]] = {name: [] for name in bundles}
    for scorer in scorers.values():
        scorer.score(images)
    for _ in range(ROUNDS):
        for name, scorer in scorers.items():
            started = time.perf_counter()
            scorer.score(images)
            rates[name].append(len(images) / (time.perf_counter() - started))
    return {name: _summarize(measured) for name, measured in rates.items()}


def _summarize(rates: list[float]) -> Rate:
    low, *_, high = statistics.quantiles(rates, n=10)
    return Rate(statistics.median(rates), low, high)
