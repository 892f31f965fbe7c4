"""MNIST's test images, slices of them, and what is no longer like them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from serving.bundle.bundle import Bundle, load_bundle
from serving.drift.drift import Baseline, sampled_rows
from serving.drift.verdict import Drift
from serving.scoring.scorer import FILES, Scorer

BLOCK_ROWS = 8192
DIRECTIONS = [(down, right) for down in (-6, 0, 6) for right in (-6, 0, 6) if down or right]


def like(images: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """What must not be called drift."""
    random = np.random.default_rng(1)
    yield "all", images
    yield "the first 1,000", images[:1000]
    yield "the first half", images[:5000]
    yield "the second half", images[5000:]
    yield "every tenth", images[::10]
    for number in range(20):
        yield f"any 100, {number}", images[random.permutation(len(images))[:100]]


def unlike(images: np.ndarray, labels: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """What must be, already of a quarter of the images."""
    random = np.random.default_rng(2)
    images, labels = images[::4], labels[::4]
    yield "inverted", 255 - images
    yield "noise", np.clip(images + random.normal(0, 40, images.shape), 0, 255).astype(np.uint8)
    yield "class 1", images[labels == 1]
    yield "random", random.integers(0, 256, images.shape, np.uint8)
    for down, right in DIRECTIONS:
        yield f"shifted by {down}, {right}", shifted(images, down, right)


def shifted(images: np.ndarray, down: int, right: int) -> np.ndarray:
    """Moved within the frame; zeros come in."""
    reach = max(abs(down), abs(right))
    padded = np.pad(images, ((0, 0), (reach, reach), (reach, reach), (0, 0)))
    height, width = images.shape[1:3]
    return padded[:, reach - down : reach - down + height, reach - right : reach - right + width]


def drift_of(bundle: Bundle, scorer: Scorer, images: np.ndarray) -> Drift:
    baseline = Baseline.load(bundle)
    counts = baseline.empty()
    for start in range(0, len(images), BLOCK_ROWS):
        block = images[start : start + BLOCK_ROWS]
        scores = scorer.score(block)
        rows = sampled_rows(len(block))
        counts += baseline.count(block[rows], scores.labels[rows], scores.confidences[rows])
    return baseline.compare(counts)


def wrong_verdicts(folder: Path, images: np.ndarray, labels: np.ndarray) -> list[str]:
    """What a bundle says of slices and changes that it should not, in either precision."""
    bundle = load_bundle(folder)
    wrong = []
    assert "left_out" not in bundle.manifest.precisions["float32"]
    for precision in FILES:
        if "left_out" in bundle.manifest.precisions[precision]:
            # Weights, and so the accuracy of int8, depend on the processor of the training.
            continue
        scorer = Scorer(bundle, precision=precision)
        for expected, cases in (("none", like(images)), ("drift", unlike(images, labels))):
            for name, case in cases:
                drift = drift_of(bundle, scorer, case)
                if drift.verdict != expected:
                    wrong.append(f"{precision}, {name}: {drift.sentence}")
    return wrong
