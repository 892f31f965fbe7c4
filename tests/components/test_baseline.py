"""baseline: made of training images alone; what is like them stays within its limits, and what is not does not."""

from __future__ import annotations

import json
import math
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import chi2

from components import baseline as component
from components.baseline import choose_limits, write_baseline
from components.datasets.digits import digits_dataset_builder as digits
from serving.drift import Baseline, sampled_rows
from serving.network import Network
from serving.traits import MEANINGS, spread
from tests.components.examples_by_hand import write_examples
from tests.serving import tiny_bundle


def network_of(image_shape, classes, weights=None):
    return Network(tiny_bundle.network(image_shape, classes, 0, weights).SerializeToString())


def drift_of(baseline, network, images, block_rows=4096):
    """Scores images in blocks, as the scorer does, and compares."""
    counts = baseline.empty()
    for start in range(0, len(images), block_rows):
        block = images[start : start + block_rows]
        probabilities = network.probabilities(block)
        rows = sampled_rows(len(block))
        counts += baseline.count(block[rows], probabilities[rows].argmax(axis=1), probabilities[rows].max(axis=1))
    return baseline.compare(counts)


@pytest.fixture(scope="module")
def trained():
    """Digits, and a linear model of them: the least squares between pixels and one-hot labels."""
    images, labels = digits.read_file(digits.FILE)
    train = slice(digits.TRAIN_ROWS)
    pixels = images[train].reshape(-1, 64) / 255
    weights, *_ = np.linalg.lstsq(pixels, np.eye(10)[labels[train]], rcond=None)
    network = network_of((8, 8, 1), 10, (10 * weights).astype(np.float32))
    right = network.probabilities(images[digits.TRAIN_ROWS :]).argmax(axis=1) == labels[digits.TRAIN_ROWS :]
    assert right.mean() > 0.85
    return images, labels, network


@pytest.fixture(scope="module")
def made_of_digits(trained, tmp_path_factory):
    images, labels, network = trained
    folder = tmp_path_factory.mktemp("digits")
    train, test = slice(digits.TRAIN_ROWS), slice(digits.TRAIN_ROWS, None)
    splits = {"train": (images[train], labels[train]), "test": (images[test], labels[test])}
    examples = write_examples(folder, splits, tuple("0123456789"), block_rows=200)
    return write_baseline(network, examples, folder), network, images[test], labels[test]


def test_test_images_of_digits_have_not_drifted(made_of_digits):
    baseline, network, images, _ = made_of_digits
    for slice_ in (images, images[:250], images[250:], images[::4]):
        drift = drift_of(baseline, network, slice_)
        assert drift.verdict == "none", drift.sentence
    random = np.random.default_rng(1)
    for _ in range(50):
        drift = drift_of(baseline, network, images[random.permutation(500)[:100]])
        assert drift.verdict == "none", drift.sentence


def changed(images, labels):
    random = np.random.default_rng(2)
    return {
        "inverted": 255 - images,
        "random": random.integers(0, 256, images.shape).astype(np.uint8),
        "shifted": np.roll(images, 2, axis=1),
        "one class": images[labels == 1],
        "noise": np.clip(images + random.normal(0, 40, images.shape), 0, 255).astype(np.uint8),
    }


@pytest.mark.parametrize("change", changed(np.zeros((1, 8, 8, 1), np.uint8), np.zeros(1)))
def test_what_is_changed_has_drifted(made_of_digits, change):
    baseline, network, images, labels = made_of_digits
    drift = drift_of(baseline, network, changed(images, labels)[change])
    assert drift.verdict == "drift", drift.sentence


def write_set(folder, images, labels, classes, block_rows=1000):
    folder.mkdir(exist_ok=True)
    splits = {"train": (images, labels), "test": (images[:1], labels[:1])}
    return write_examples(folder, splits, tuple(map(str, range(classes))), block_rows)


def colours(rows, seed=0):
    """uint8 (rows, 4, 3, 2): the second channel is darker than the first."""
    random = np.random.default_rng(seed)
    return (random.integers(0, 256, (rows, 4, 3, 2)) // [1, 3]).astype(np.uint8), random.integers(0, 4, rows)


def test_of_colours_each_channel_is_looked_at(tmp_path):
    network = network_of((4, 3, 2), 4)
    baseline = write_baseline(network, write_set(tmp_path, *colours(2000), 4), tmp_path)
    images, _ = colours(1000, seed=1)
    assert drift_of(baseline, network, images).verdict == "none"
    swapped = drift_of(baseline, network, images[..., ::-1])
    assert swapped.figures["pixels"].ratio > 1
    assert swapped.figures["intensity"].ratio < 1


def test_second_time_the_same_bytes_are_written_and_read_back(tmp_path):
    contents = []
    for folder in (tmp_path / "one", tmp_path / "other"):
        examples = write_set(folder, *colours(500), 4)
        written = write_baseline(network_of((4, 3, 2), 4), examples, folder)
        contents.append((folder / "drift.json").read_bytes())
    assert contents[0] == contents[1]
    assert Baseline.from_json(json.loads(contents[0])) == written


def test_only_the_training_split_is_read(tmp_path):
    examples = write_set(tmp_path, *colours(500), 4)
    for file in tmp_path.glob("test-*"):
        file.unlink()
    assert write_baseline(network_of((4, 3, 2), 4), examples, tmp_path).counts.rows == 400


@pytest.mark.parametrize("order", ["by class", "in turn"])
def test_order_of_the_classes_is_no_matter(tmp_path, order):
    """All four pixels of an image of class i are in bin i."""
    labels = np.arange(5000) % 10 if order == "in turn" else np.arange(5000) // 500
    images = np.repeat(labels * 16, 4).reshape(-1, 2, 2, 1).astype(np.uint8)
    baseline = write_baseline(network_of((2, 2, 1), 10), write_set(tmp_path, images, labels, 10), tmp_path)
    assert baseline.counts.rows == 4000
    kept = np.array(baseline.counts.bins["pixels"][:10]) / 4
    assert np.abs(kept - 400).max() <= 40
    # The others, of which the limits are made, are of all classes alike too: else samples of them were far away.
    assert baseline.limits[-1].traits["pixels"].psi < 0.15


def test_no_more_rows_are_scored_than_are_needed(tmp_path, monkeypatch):
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
    assert places == spread(5000, 300).tolist()


def test_seven_million_rows_are_not_held(tmp_path):
    """One block, of which the set has 700: 450 MB of pixels."""
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


def test_many_rows_of_a_block_are_scored_in_pieces(tmp_path, monkeypatch):
    examples = write_set(tmp_path, *colours(500), 4)
    whole = write_baseline(network_of((4, 3, 2), 4), examples, tmp_path)
    monkeypatch.setattr("components.artifacts.examples.SAMPLED_ROWS", 7)
    assert write_baseline(network_of((4, 3, 2), 4), examples, tmp_path) == whole


def test_set_of_a_hundred_rows_has_limits_that_its_own_kind_meets(tmp_path):
    network = network_of((4, 3, 2), 4)
    baseline = write_baseline(network, write_set(tmp_path, *colours(100), 4), tmp_path)
    assert baseline.counts.rows == 80
    assert drift_of(baseline, network, colours(1000, seed=1)[0]).verdict == "none"
    assert drift_of(baseline, network, 255 - colours(1000, seed=1)[0]).verdict == "drift"


@pytest.mark.parametrize("rows", [1, 4])
def test_where_nothing_can_be_held_out_nothing_is_told(tmp_path, rows):
    network = network_of((4, 3, 2), 4)
    baseline = write_baseline(network, write_set(tmp_path, *colours(rows), 4), tmp_path)
    assert baseline.limits == ()
    assert not drift_of(baseline, network, 255 - colours(1000)[0]).drifted


def test_model_of_no_numbers_has_a_baseline(tmp_path):
    weights = np.full((24, 4), np.nan, np.float32)
    network = network_of((4, 3, 2), 4, weights)
    baseline = write_baseline(network, write_set(tmp_path, *colours(100), 4), tmp_path)
    assert baseline.bins.confidence == ()
    assert drift_of(baseline, network, colours(200, seed=1)[0]).verdict == "none"


def test_model_that_is_sure_of_all_has_no_cut_at_certainty(tmp_path):
    images, labels = colours(500)
    network = network_of((4, 3, 2), 4, 1000 * tiny_bundle.random_weights((4, 3, 2), 4, 0))
    baseline = write_baseline(network, write_set(tmp_path, images, labels, 4), tmp_path)
    assert all(cut < 1 for cut in baseline.bins.confidence)


def even(rows, bins):
    """Each of the rows in one bin, as many in each bin, by trait."""
    one_hot = (np.arange(rows)[:, None] % bins == np.arange(bins)).astype(np.int64)
    return dict.fromkeys(MEANINGS, one_hot)


def test_limits_lie_above_chance_and_not_far_above(tmp_path):
    """PSI times rows of samples from one distribution is χ² with bins - 1 degrees of freedom, asymptotically."""
    chosen = choose_limits(dict.fromkeys(MEANINGS, (10**6,) * 8), even(4000, 8))
    assert [limits.rows for limits in chosen] == [50, 100, 200, 400, 800, 1600]
    for limits in chosen:
        chance = chi2.isf(1 / 500, 7) / limits.rows
        for trait, floor in {"pixels": 0.1, "intensity": 0.1, "classes": 0.1, "confidence": 0.25}.items():
            limit = limits.traits[trait]
            assert limit.psi >= max(floor, 1.4 * chance) - 1e-9
            assert limit.psi <= max(floor, 4 * chance)
            assert limit.js >= floor / (8 * math.log(2)) - 1e-4
            assert limit.js <= max(floor, 4 * chance) / (8 * math.log(2)) + 1e-4


def test_limits_have_four_places_and_fall_as_samples_grow():
    chosen = choose_limits(dict.fromkeys(MEANINGS, (500,) * 8), even(100, 8))
    for trait in MEANINGS:
        psi = [limits.traits[trait].psi for limits in chosen]
        assert psi == sorted(psi, reverse=True)
        assert psi == [round(value, 4) for value in psi]
    assert all(0 < limits.traits[trait].js <= 1 for limits in chosen for trait in MEANINGS)


def test_bundle_carries_the_baseline_of_its_own_model(made):
    bundle = made.bundle.opened()
    baseline = Baseline.load(bundle)
    assert baseline.counts.rows == 480
    network = Network((Path(bundle.path) / "model.onnx").read_bytes())
    images = made.examples.all_images("test")
    assert drift_of(baseline, network, images).verdict == "none"
    assert drift_of(baseline, network, 255 - images).verdict == "drift"
