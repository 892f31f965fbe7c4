"""Fixtures of the export tests: networks with their float ONNX models."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from components.export.onnx_graph import convert
from components.export.saved_model import serving_module
from tests.components.export.quantized_networks import NETWORKS

STANDARDIZED = {1: ((1 / 60,), (-0.7,)), 3: ((1 / 60, 1 / 75, 1 / 50), (-0.7, -1.1, 0.2))}


@pytest.fixture(scope="session")
def networks(write_untrained, unit_transform, tmp_path_factory):
    """Name, normalisation -> a Keras model with random biases, its Transform, and its float ONNX model."""
    made = {}

    def network(name, normalization="unit"):
        if (name, normalization) in made:
            return made[name, normalization]
        shape, layers, _ = NETWORKS[name]
        model = write_untrained(tmp_path_factory.mktemp("model"), shape, 4, **layers)
        keras_model = model.keras_model()
        random = np.random.default_rng(7)
        biased = [weight + random.normal(0, 0.2, weight.shape) * (weight.ndim == 1) for weight in model.weights()]
        keras_model.set_weights(biased)
        model.write_keras_model(keras_model, "")
        fixed = unit_transform(shape[-1], 4)
        if normalization == "standardize":
            scale, offset = STANDARDIZED[shape[-1]]
            fixed = replace(fixed, normalization=normalization, scale=scale, offset=offset)
        converted = convert(serving_module(model, fixed, shape), {"model": "by-hand", "labels": "[]"})
        made[name, normalization] = (keras_model, fixed, converted)
        return made[name, normalization]

    return network
