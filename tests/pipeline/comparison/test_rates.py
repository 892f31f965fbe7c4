"""rates: the models take turns, and the median decides."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.comparison import rates
from serving.bundle.bundle import load_bundle


def test_models_take_turns_and_the_rate_is_the_median(made, monkeypatch):
    images = made.examples.all_images("test")
    turns = []
    monkeypatch.setattr(rates.Scorer, "score", lambda self, given: turns.append((id(self.bundle), len(given))))
    ticks = iter(range(10_000))
    # Each measurement takes one tick, so the rate is known.
    monkeypatch.setattr(rates.time, "perf_counter", lambda: float(next(ticks)))
    one, other = load_bundle(made.bundle.path), load_bundle(made.bundle.path)
    found = rates.measure_rates({"one": one, "other": other}, images)
    # By id, because the two bundles are equal.
    assert [bundle for bundle, _ in turns] == [id(one), id(other)] * (rates.ROUNDS + 1)
    assert {count for _, count in turns} == {len(images)}
    assert found["one"].median == found["one"].low == found["one"].high == pytest.approx(len(images))


def test_rates_are_of_real_scoring(made):
    found = rates.measure_rates({"tiny": load_bundle(made.bundle.path)}, made.examples.all_images("test"))["tiny"]
    assert 0 < found.low <= found.median <= found.high < np.inf
