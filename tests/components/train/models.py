"""A small recipe, and a comparison of models."""

from __future__ import annotations

import numpy as np

from components.train import Params

RECIPE = Params(preset="small", hidden=(), epochs=3, batch_size=60, learning_rate=0.01)


def assert_same_weights(one, other):
    assert len(one.weights()) == len(other.weights()) >= 2
    assert all(np.array_equal(a, b) for a, b in zip(one.weights(), other.weights(), strict=True))
