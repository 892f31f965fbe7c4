"""constants: biases of 0, which the converter leaves out, and activations that no constant shows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from components.export.onnx_graph import convert
from components.export.quantization import quantize
from components.export.saved_model import serving_module
from components.rounding.layers import Weighted, layers_of
from components.verify.constants import check_constants

SHAPE = (15, 20, 3)
CNN = {"convolutions": (4, 6), "hidden": (16,)}


@pytest.fixture
def exported(write_untrained, unit_transform, tmp_path):
    """Options of the network -> its float32 model, its int8 model, its weighted layers and its Transform."""

    def export(**options):
        model, transform = write_untrained(tmp_path, SHAPE, 5, **options), unit_transform(3, 5)
        converted = convert(serving_module(model, transform, SHAPE), {})
        images = np.random.default_rng(0).integers(0, 256, (20, *SHAPE), np.uint8)
        weighted = [layer for layer in layers_of(model) if isinstance(layer, Weighted)]
        return converted, quantize(converted, images), weighted, transform

    return export


def test_biases_of_0_may_be_left_out_and_others_may_not(exported):
    *models, layers, transform = exported(**CNN)
    assert any(len(node.input) == 2 for node in models[0].graph.node if node.op_type == "Conv")
    for model in models:
        assert check_constants("file", model, layers, transform).passed
        other = [replace(layers[0], bias=np.full_like(layers[0].bias, 0.01)), *layers[1:]]
        refused = check_constants("file", model, other, transform)
        assert not refused.passed
        assert f"file: {layers[0].name}, bias [0] is " in refused.message


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid", "elu", "gelu"])
def test_another_activation_is_refused(exported, activation):
    *models, layers, transform = exported(**CNN, hidden_activation=activation)
    for model in models:
        assert check_constants("file", model, layers, transform).passed
        other = [replace(layers[0], activation="tanh" if activation != "tanh" else "elu"), *layers[1:]]
        refused = check_constants("file", model, other, transform)
        if activation == "relu" and model is models[1]:
            # int8 has no operation for relu: its ranges begin at 0, which another rule compares.
            assert refused.passed
        else:
            assert f"file: {layers[0].name} has the operation " in refused.message
