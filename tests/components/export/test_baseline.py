"""baseline: images like the training images have not drifted, and changed ones have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from components.datasets.digits import digits_dataset_builder as digits
from components.export.baseline import write_baseline
from serving.codec import parse
from serving.drift.drift import Baseline
from serving.scoring.network import Network
from tests.components.examples_by_hand import write_examples
from tests.components.export.networks_with_baselines import colours, drift_of, network_of, write_set
from tests.serving import tiny_bundle


@pytest.fixture(scope="module")
def trained():
    """Digits, and a linear model: least squares from the pixels to one-hot labels."""
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


def test_digits_test_images_have_not_drifted(made_of_digits):
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
def test_changed_images_have_drifted(made_of_digits, change):
    baseline, network, images, labels = made_of_digits
    drift = drift_of(baseline, network, changed(images, labels)[change])
    assert drift.verdict == "drift", drift.sentence


def test_drift_is_computed_for_each_channel(tmp_path):
    network = network_of((4, 3, 2), 4)
    baseline = write_baseline(network, write_set(tmp_path, *colours(2000), 4), tmp_path)
    images, _ = colours(1000, seed=1)
    assert drift_of(baseline, network, images).verdict == "none"
    swapped = drift_of(baseline, network, images[..., ::-1])
    assert swapped.figures["pixels"].ratio > 1
    assert swapped.figures["intensity"].ratio < 1


def test_same_bytes_are_written_again_and_read_back(tmp_path):
    contents = []
    for folder in (tmp_path / "one", tmp_path / "other"):
        examples = write_set(folder, *colours(500), 4)
        written = write_baseline(network_of((4, 3, 2), 4), examples, folder)
        contents.append((folder / "drift.json").read_bytes())
    assert contents[0] == contents[1]
    assert parse(Baseline, contents[0], "drift.json") == written


def test_limits_of_a_hundred_rows_pass_images_of_the_same_kind(tmp_path):
    network = network_of((4, 3, 2), 4)
    baseline = write_baseline(network, write_set(tmp_path, *colours(100), 4), tmp_path)
    assert baseline.counts.rows == 80
    assert drift_of(baseline, network, colours(1000, seed=1)[0]).verdict == "none"
    assert drift_of(baseline, network, 255 - colours(1000, seed=1)[0]).verdict == "drift"


@pytest.mark.parametrize("rows", [1, 4])
def test_too_few_rows_for_limits_give_no_drift(tmp_path, rows):
    network = network_of((4, 3, 2), 4)
    baseline = write_baseline(network, write_set(tmp_path, *colours(rows), 4), tmp_path)
    assert baseline.limits == ()
    assert not drift_of(baseline, network, 255 - colours(1000)[0]).drifted


def test_model_that_returns_nan_has_a_baseline(tmp_path):
    weights = np.full((24, 4), np.nan, np.float32)
    network = network_of((4, 3, 2), 4, weights)
    baseline = write_baseline(network, write_set(tmp_path, *colours(100), 4), tmp_path)
    assert baseline.bins.confidence == ()
    assert drift_of(baseline, network, colours(200, seed=1)[0]).verdict == "none"


def test_certain_model_has_no_confidence_cut_at_one(tmp_path):
    images, labels = colours(500)
    network = network_of((4, 3, 2), 4, 1000 * tiny_bundle.random_weights((4, 3, 2), 4, 0))
    baseline = write_baseline(network, write_set(tmp_path, images, labels, 4), tmp_path)
    assert all(cut < 1 for cut in baseline.bins.confidence)


def test_bundle_has_the_baseline_of_its_own_model(made):
    bundle = made.bundle.opened()
    baseline = Baseline.load(bundle)
    assert baseline.counts.rows == 480
    network = Network((Path(bundle.path) / "model.onnx").read_bytes())
    images = made.examples.all_images("test")
    assert drift_of(baseline, network, images).verdict == "none"
    assert drift_of(baseline, network, 255 - images).verdict == "drift"
