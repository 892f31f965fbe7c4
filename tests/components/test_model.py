"""model: the presets' networks, by the numbers of parameters that follow from their layers."""

from __future__ import annotations

import numpy as np
import pytest

from components.model import build_model
from pipeline.presets import PRESETS


def built(preset, image_shape=(28, 28, 1), classes=10):
    recipe = PRESETS[preset]
    return build_model(
        image_shape,
        classes,
        convolutions=recipe.convolutions,
        hidden=recipe.hidden,
        hidden_activation=recipe.hidden_activation,
        output_activation=recipe.output_activation,
    )


def activations(network):
    return [layer.activation.__name__ for layer in network.layers if hasattr(layer, "activation")]


@pytest.mark.parametrize(
    ("preset", "parameters", "expected"),
    [
        ("mlp-128-128", 118_282, ["relu", "relu", "softmax"]),
        ("linear-sigmoid", 7_850, ["sigmoid"]),
        ("mlp-100-sigmoid", 79_510, ["relu", "sigmoid"]),
        ("linear", 7_850, ["softmax"]),
        ("mlp-validated", 784 * 128 + 128 + 128 * 10 + 10, ["relu", "softmax"]),
        ("mlp-256-128", 235_146, ["relu", "relu", "softmax"]),
        (
            "cnn",
            (9 * 32 + 32) + (9 * 32 * 64 + 64) + (7 * 7 * 64 * 128 + 128) + (128 * 10 + 10),
            ["relu", "relu", "relu", "softmax"],
        ),
    ],
)
def test_preset_has_the_parameters_and_activations_of_its_recipe(preset, parameters, expected):
    network = built(preset)
    assert network.count_params() == parameters
    assert activations(network) == expected


def test_every_preset_is_counted_above():
    assert sorted(PRESETS) == sorted(
        ["mlp-128-128", "linear-sigmoid", "mlp-100-sigmoid", "linear", "mlp-validated", "mlp-256-128", "cnn"]
    )


def test_network_takes_other_shapes_and_classes():
    network = built("cnn", image_shape=(9, 7, 3), classes=4)
    scores = network(np.zeros((2, 9, 7, 3), np.float32)).numpy()
    assert scores.shape == (2, 4)
    assert scores.sum(axis=1) == pytest.approx(np.ones(2), abs=1e-6)


def test_layers_keep_their_names_from_network_to_network():
    first, second = ([layer.name for layer in built("cnn").layers] for _ in range(2))
    assert first == second
    assert first[-1] == "scores"
