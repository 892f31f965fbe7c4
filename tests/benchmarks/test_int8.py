"""benchmarks.int8: the ratio of the rates, both accuracies, and errors in one sentence."""

from __future__ import annotations

import re

import numpy as np
import pytest

from benchmarks.int8 import ROUNDS, main, measure
from serving.scoring.scorer import Scorer
from tests.serving import tiny_bundle


class Clock:
    """A clock that advances only while images are scored: per batch, and per further image of a large batch."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.calls: list[str] = []

    def __call__(self) -> float:
        return self.seconds

    def scoring(self, name: str, batch_seconds: float, full_rows: int):
        def score(batch_size: int) -> None:
            self.calls.append(name)
            self.seconds += 8192 / batch_size * batch_seconds + max(0, batch_size - full_rows)

        return score


def test_each_model_is_measured_at_its_best_batch_size_in_turn():
    clock = Clock()
    scores = {"float32": clock.scoring("float32", 8.0, 256), "int8": clock.scoring("int8", 2.0, 1024)}
    rates, sizes = measure(scores, 8192, clock)
    assert sizes == {"float32": 256, "int8": 1024}
    assert rates["float32"] == pytest.approx([8192 / (32 * 8)] * ROUNDS)
    assert rates["int8"] == pytest.approx([8192 / (8 * 2)] * ROUNDS)
    assert clock.calls[-2 * ROUNDS :] == ["float32", "int8"] * ROUNDS


@pytest.fixture
def images(tmp_path):
    np.save(tmp_path / "images.npy", tiny_bundle.random_images(100))
    return tmp_path / "images.npy"


def test_command_prints_both_accuracies_and_the_ratio(tmp_path, images, capsys):
    bundle = tiny_bundle.seal(tmp_path / "bundle", int8=True)
    labels = Scorer(bundle).score(tiny_bundle.random_images(100)).labels
    labels[:10] = (labels[:10] + 1) % 4
    np.save(tmp_path / "labels.npy", labels)
    assert main([str(bundle.path), str(images), "--labels", str(tmp_path / "labels.npy")]) == 0
    accuracy, rates = capsys.readouterr().out.splitlines()
    same = (Scorer(bundle, precision="int8").score(tiny_bundle.random_images(100)).labels == labels).mean()
    assert accuracy.startswith(f"accuracy of 100 images: float32 0.9000, int8 {same:.4f}; the same class for ")
    assert re.match(
        r"one thread: int8 [\d.]+ \([\d.]+ to [\d.]+\) times float32; float32 [\d,]+ images/s in batches of ", rates
    )


def test_bundle_without_int8_is_refused_with_the_reason(tmp_path, images, capsys):
    assert main([str(tiny_bundle.seal(tmp_path / "bundle").path), str(images)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert tiny_bundle.LEFT_OUT in printed.err
    assert printed.err.count("\n") == 1
