"""rounding: onnxruntime and TensorFlow stay within what float32 and int8 may differ by, and use a good part of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from components.export.onnx_graph import convert
from components.export.quantization import quantize
from components.export.saved_model import serving_module
from components.rounding.forward import can_fold
from components.rounding.layers import Weighted, layers_of
from components.rounding.quantized import measure_quantization, measure_ranges
from components.rounding.scatter import measure_rounding
from components.verify.constants import Graph
from serving.scoring.agreement import used_fraction
from serving.scoring.network import Network

UNIT = ((1 / 255,) * 3, (0.0,) * 3)
STANDARDIZED = ((1 / 60, 1 / 75, 1 / 50), (-0.7, -1.1, 0.2))
CNN = {"convolutions": (4, 6), "hidden": (16,)}
SLOW = pytest.mark.exhaustive
CASES = [
    ((8, 8, 1), {}, UNIT, "light"),
    ((8, 8, 1), {"hidden": (16,), "output_activation": "sigmoid"}, STANDARDIZED, "dark"),
    ((28, 28, 1), {"hidden": (128, 128)}, UNIT, "light"),
    ((15, 20, 3), CNN, STANDARDIZED, "dark"),
    ((15, 20, 3), {**CNN, "hidden_activation": "gelu"}, UNIT, "light"),
    pytest.param(((15, 20, 3), CNN, UNIT, "light"), marks=SLOW),
    pytest.param(((50, 50, 1), {"hidden": (128, 128)}, STANDARDIZED, "dark"), marks=SLOW),
    pytest.param(((50, 50, 1), {"hidden": (100,), "output_activation": "sigmoid"}, UNIT, "dark"), marks=SLOW),
    pytest.param(((40, 30, 3), {"hidden": (64,), "hidden_activation": "tanh"}, STANDARDIZED, "light"), marks=SLOW),
    pytest.param(((40, 30, 3), {"hidden": (64,), "hidden_activation": "elu"}, UNIT, "light"), marks=SLOW),
    pytest.param(((64, 64, 3), {"hidden": (64,), "hidden_activation": "sigmoid"}, UNIT, "light"), marks=SLOW),
    pytest.param(((128, 128, 3), {"hidden": (128, 128)}, STANDARDIZED, "dark"), marks=SLOW),
    pytest.param(((128, 128, 3), {}, UNIT, "light"), marks=SLOW),
    pytest.param(((224, 224, 3), {"hidden": (32,)}, UNIT, "dark"), marks=SLOW),
    pytest.param(((224, 224, 3), CNN, STANDARDIZED, "light"), marks=SLOW),
]


@pytest.fixture
def case(request, write_untrained, unit_transform, tmp_path):
    """Model with larger weights than fresh ones, its Transform, and images."""
    shape, layers, (scale, offset), ground = request.param
    model = write_untrained(tmp_path, shape, 5, **layers)
    random = np.random.default_rng(0)
    network = model.keras_model()
    biased = [weight * 2 + random.normal(0, 0.1, weight.shape) * (weight.ndim == 1) for weight in model.weights()]
    network.set_weights(biased)
    model.write_keras_model(network, "")
    transform = replace(unit_transform(shape[2], 5), scale=scale[: shape[2]], offset=offset[: shape[2]])
    images = random.integers(0, 256, (40, *shape)) * (random.random((40, *shape)) < 0.2)
    return model, transform, (255 - images if ground == "light" else images).astype(np.uint8)


@pytest.mark.parametrize("case", CASES, indirect=True)
def test_runtimes_stay_within_the_limits(case):
    model, transform, images = case
    module = serving_module(model, transform, images.shape[1:])
    converted = convert(module, {})
    layers = layers_of(model)
    rounding = measure_rounding(layers, transform, images)
    network = Network(converted.SerializeToString())
    found = [network.probabilities(images, size) for size in (1, 7, 40)]
    found += [
        np.concatenate([module.serve(images[at : at + size])["probabilities"] for at in range(0, len(images), size)])
        for size in (1, 7, 40)
    ]
    used = max(used_fraction(part[rounding.rows], rounding.exact, rounding.allowed).max() for part in found)
    assert 0.05 < used < 1
    quantized = quantize(converted, images)
    first = next(layer for layer in layers if isinstance(layer, Weighted))
    before = None if can_fold(first, transform) else transform
    ranges = measure_ranges(layers, transform, images)
    expected = measure_quantization(Graph(quantized).with_weights(layers), before, ranges, images)
    used = expected.used(Network(quantized.SerializeToString()).probabilities(images), rounding).max()
    assert 0.001 < used < 1
