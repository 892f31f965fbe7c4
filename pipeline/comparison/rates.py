"""Bundles + images -> how many images a second each scores, measured in turn."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping

from pipeline.comparison.comparison import Rate
from serving.bundle import Bundle
from serving.inputs.blocks import Images
from serving.scorer import Scorer

ROUNDS = 15


def measure_rates(bundles: Mapping[str, Bundle], images: Images) -> dict[str, Rate]:
    """Scores the images with each bundle once a round, one after the other, so that a slow minute is everybody's.

    Args:
        bundles: by name.
        images: uint8 (n, h, w, c), 0 to 255, of which there is at least one.
    """
    scorers = {name: Scorer(bundle) for name, bundle in bundles.items()}
    rates: dict[str, list[float]] = {name: [] for name in bundles}
    for scorer in scorers.values():
        scorer.score(images)
    for _ in range(ROUNDS):
        for name, scorer in scorers.items():
            started = time.perf_counter()
            scorer.score(images)
            rates[name].append(len(images) / (time.perf_counter() - started))
    return {name: _rate(found) for name, found in rates.items()}


def _rate(found: list[float]) -> Rate:
    low, *_, high = statistics.quantiles(found, n=10)
    return Rate(statistics.median(found), low, high)
