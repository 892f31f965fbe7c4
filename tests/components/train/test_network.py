"""network: the presets' networks, by the numbers of parameters of their layers."""

from __future__ import annotations

import re

import numpy as np
import pytest

from components.train.network import build_model, layers_table
from pipeline.settings.presets import PRESETS


def built(preset, image_shape=(28, 28, 1), classes=10):
    return build_model(image_shape, classes, PRESETS[preset])


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
            (9 * 16 + 16) + (9 * 16 * 32 + 32) + (7 * 7 * 32 * 128 + 128) + (128 * 10 + 10),
            ["relu", "relu", "relu", "softmax"],
        ),
    ],
)
def test_preset_has_the_parameters_and_activations_of_its_recipe(preset, parameters, expected):
    network = built(preset)
    assert network.count_params() == parameters
    assert activations(network) == expected


def test_the_table_above_has_every_preset():
    assert sorted(PRESETS) == sorted(
        ["mlp-128-128", "linear-sigmoid", "mlp-100-sigmoid", "linear", "mlp-validated", "mlp-256-128", "cnn"]
    )


def test_a_network_has_the_shape_and_classes_of_its_data():
    network = built("cnn", image_shape=(9, 7, 3), classes=4)
    scores = network(np.zeros((2, 9, 7, 3), np.float32)).numpy()
    assert scores.shape == (2, 4)
    assert scores.sum(axis=1) == pytest.approx(np.ones(2), abs=1e-6)


def test_layers_have_the_same_names_in_every_network():
    first, second = ([layer.name for layer in built("cnn").layers] for _ in range(2))
    assert first == second
    assert first[-1] == "scores"


def keras_summary(network, monkeypatch):
    """(name, class, shape, parameters) of each layer, and the total, from Keras's own table."""
    monkeypatch.setenv("COLUMNS", "140")
    printed = []
    network.summary(line_length=120, print_fn=printed.append)
    (text,) = printed
    rows = re.findall(r"^│ (\w+) \((\w+)\) +│ (\(.*?\)) +│ +([\d,]+) │$", text, flags=re.MULTILINE)
    (total,) = re.findall(r"Total params: ([\d,]+) ", text)
    return rows, total


@pytest.mark.parametrize("preset", list(PRESETS))
def test_the_table_has_the_values_of_keras(preset, monkeypatch):
    network = built(preset)
    table = layers_table(network)
    rows = re.findall(r"^ (\w+) \((\w+)(?:, \w+)?\) +(\(.*?\)) +([\d,]+)$", table, flags=re.MULTILINE)
    expected, total = keras_summary(network, monkeypatch)
    assert len(rows) == len(network.layers)
    assert rows == expected
    assert f"\nTotal params: {total}\nTrainable params: {total}\nNon-trainable params: 0" in table


def test_the_table_does_not_depend_on_compilation_or_the_terminal(monkeypatch):
    network = built("mlp-128-128")
    table = layers_table(network)
    monkeypatch.setenv("COLUMNS", "20")
    network.compile("adam", "categorical_crossentropy")
    network.optimizer.build(network.trainable_variables)
    assert layers_table(network) == table
    assert table.isascii()
    assert {len(line) for line in table.splitlines()[1:-3]} == {72}
    assert re.findall(r"\((?:Dense), (\w+)\)", table) == ["relu", "relu", "softmax"]


def test_the_table_counts_parameters_that_are_not_trained():
    import keras

    network = keras.Sequential([keras.layers.Input((3,)), keras.layers.BatchNormalization(name="norm")])
    assert layers_table(network).endswith("Total params: 12\nTrainable params: 6\nNon-trainable params: 6")
