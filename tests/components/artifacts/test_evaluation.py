"""evaluation: the probabilities, and their digest."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np

from components.artifacts.evaluation import probabilities_sha256


def test_the_prediction_is_the_class_with_the_largest_probability(made, tmp_path):
    probabilities = np.array([[0.1, 0.2, 0.7], [0.25, 0.5, 0.25], [0.4, 0.4, 0.2]], np.float32)
    written = replace(made.evaluation, path=tmp_path).write_probabilities(probabilities)
    assert written.probabilities().dtype == np.float32
    assert np.array_equal(written.probabilities(), probabilities)
    assert written.predictions().tolist() == [2, 1, 0]


def test_the_digest_of_probabilities_depends_on_values_and_order_only(made):
    probabilities = np.random.default_rng(1).random((5, 3), np.float32)
    digest = hashlib.sha256(probabilities.tobytes()).hexdigest()
    assert probabilities_sha256(probabilities) == digest
    assert probabilities_sha256(np.asfortranarray(probabilities)) == digest
    assert probabilities_sha256(probabilities.astype(">f4")) == digest
    assert probabilities_sha256(probabilities[::-1]) != digest
