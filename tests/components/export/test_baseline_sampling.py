"""baseline: a sample of the training split is read, in little memory and in any order of classes."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from components.export import baseline as component
from components.export.baseline import write_baseline
from serving.drift.features import stratified_sample
from serving.scoring.network import Network
from tests.components.export.networks_with_baselines import colours, network_of, write_set
from tests.serving import tiny_bundle


def test_only_the_training_split_is_read(tmp_path):
    examples = write_set(tmp_path, *colours(500), 4)
    for file in tmp_path.glob("test-*"):
        file.unlink()
    assert write_baseline(network_of((4, 3, 2), 4), examples, tmp_path).counts.rows == 400


@pytest.mark.parametrize("order", ["by class", "in turn"])
def test_baseline_does_not_depend_on_the_order_of_the_classes(tmp_path, order):
    """All four pixels of an image of class i are in bin i."""
    labels = np.arange(5000) % 10 if order == "in turn" else np.arange(5000) // 500
    images = np.repeat(labels * 16, 4).reshape(-1, 2, 2, 1).astype(np.uint8)
    baseline = write_baseline(network_of((2, 2, 1), 10), write_set(tmp_path, images, labels, 10), tmp_path)
    assert baseline.counts.rows == 4000
    kept = np.array(baseline.counts.bins["pixels"][:10]) / 4
    assert np.abs(kept - 400).max() <= 40
    # The rows for the limits are of all classes, too; otherwise their samples would be far from the baseline.
    assert baseline.limits[-1].divergences["pixels"].psi < 0.15


def test_only_the_sampled_rows_are_scored(tmp_path, monkeypatch):
    monkeypatch.setattr(component, "ROWS", 300)
    images, labels = colours(5000)
    scored = []

    class Counting(Network):
        def probabilities(self, images, batch_size=1024):
            scored.append(images)
            return super().probabilities(images, batch_size)

    network = Counting(tiny_bundle.network((4, 3, 2), 4, 0).SerializeToString())
    baseline = write_baseline(network, write_set(tmp_path, images, labels, 4, block_rows=700), tmp_path)
    assert baseline.counts.rows == 240
    seen = np.concatenate(scored)
    assert len(seen) == 300
    places = [int(np.flatnonzero((images == row).all(axis=(1, 2, 3)))[0]) for row in seen]
    assert places == stratified_sample(5000, 300).tolist()


def test_seven_million_rows_are_not_held_in_memory(tmp_path):
    """One block 700 times: 450 MB of pixels."""
    images = np.random.default_rng(0).integers(0, 256, (10_000, 8, 8, 1)).astype(np.uint8)
    examples = write_set(tmp_path, images, np.zeros(10_000, np.int64), 4, block_rows=10_000)
    examples = replace(examples, blocks={**examples.blocks, "train": examples.blocks["train"] * 700})
    network = network_of((8, 8, 1), 4)
    tracemalloc.start()
    try:
        baseline = write_baseline(network, examples, tmp_path)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert baseline.counts.rows == 8000
    assert peak_bytes < 100e6


def test_baseline_does_not_depend_on_the_pieces_that_a_block_is_scored_in(tmp_path, monkeypatch):
    examples = write_set(tmp_path, *colours(500), 4)
    whole = write_baseline(network_of((4, 3, 2), 4), examples, tmp_path)
    monkeypatch.setattr("components.artifacts.examples.SAMPLED_ROWS", 7)
    assert write_baseline(network_of((4, 3, 2), 4), examples, tmp_path) == whole
