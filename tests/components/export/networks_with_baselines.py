"""Linear networks, data sets for their baselines, and the drift of other images."""

from __future__ import annotations

import numpy as np

from serving.drift.drift import sampled_rows
from serving.scoring.network import Network
from tests.components.examples_by_hand import write_examples
from tests.serving import tiny_bundle


def network_of(image_shape, classes, weights=None):
    return Network(tiny_bundle.network(image_shape, classes, 0, weights).SerializeToString())


def drift_of(baseline, network, images, block_rows=4096):
    """Scores images in blocks, as the scorer does, and compares with the baseline."""
    counts = baseline.empty()
    for start in range(0, len(images), block_rows):
        block = images[start : start + block_rows]
        probabilities = network.probabilities(block)
        rows = sampled_rows(len(block))
        counts += baseline.count(block[rows], probabilities[rows].argmax(axis=1), probabilities[rows].max(axis=1))
    return baseline.compare(counts)


def write_set(folder, images, labels, classes, block_rows=1000):
    folder.mkdir(exist_ok=True)
    splits = {"train": (images, labels), "test": (images[:1], labels[:1])}
    return write_examples(folder, splits, tuple(map(str, range(classes))), block_rows)


def colours(rows, seed=0):
    """uint8 (rows, 4, 3, 2): the second channel is darker than the first."""
    random = np.random.default_rng(seed)
    return (random.integers(0, 256, (rows, 4, 3, 2)) // [1, 3]).astype(np.uint8), random.integers(0, 4, rows)
