"""Recipe -> Keras Sequential: the classifier's layers, named, so that equal recipes have equal graphs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


def build_model(
    image_shape: tuple[int, int, int],
    classes: int,
    *,
    convolutions: tuple[int, ...],
    hidden: tuple[int, ...],
    hidden_activation: str,
    dropout: float,
    output_activation: str,
) -> keras.Sequential:
    """Builds the network with fresh weights.

    Args:
        image_shape: (height, width, channels) of the input, float32 (n, h, w, c).
        classes: width of the output.
        convolutions: filters of each 3×3 convolution, each followed by 2×2 max-pooling.
        hidden: units of each hidden dense layer.
        hidden_activation: of convolutions and hidden layers.
        dropout: fraction of the output layer's inputs that each training step leaves out; 0 makes no layer for it.
        output_activation: `softmax` or `sigmoid`.
    """
    import keras

    layers: list[keras.layers.Layer] = [keras.layers.Input(image_shape, name="normalized")]
    for index, filters in enumerate(convolutions, start=1):
        layers += [
            keras.layers.Conv2D(filters, 3, padding="same", activation=hidden_activation, name=f"convolution_{index}"),
            keras.layers.MaxPooling2D(2, padding="same", name=f"pooling_{index}"),
        ]
    layers.append(keras.layers.Flatten(name="flatten"))
    for index, units in enumerate(hidden, start=1):
        layers.append(keras.layers.Dense(units, activation=hidden_activation, name=f"hidden_{index}"))
    if dropout:
        layers.append(keras.layers.Dropout(dropout, name="dropout"))
    layers.append(keras.layers.Dense(classes, activation=output_activation, name="scores"))
    return keras.Sequential(layers, name="classifier")


def layers_table(model: keras.Sequential) -> str:
    """The network as `model.summary()` shows it: a line a layer, and the parameters in all.

    Keras's own is cut to the terminal's width, takes its lines from the terminal's encoding and, once a model is
    compiled, counts the optimizer's numbers as parameters; this one is the same wherever it is written.

    Args:
        model: built.

    Returns:
        ASCII, 72 columns wide where the layers' names and shapes allow it, with no newline at the end.
    """
    rows = [_row("Layer (type)", "Output Shape", "Param #"), "=" * 72]
    for layer in model.layers:
        activation = layer.get_config().get("activation")
        kind = ", ".join(filter(None, [type(layer).__name__, activation]))
        shape = ", ".join(map(str, layer.output.shape))
        rows.append(_row(f"{layer.name} ({kind})", f"({shape})", f"{layer.count_params():,}"))
    trained = sum(math.prod(weight.shape) for weight in model.trainable_weights)
    total = model.count_params()
    counts = (("Total", total), ("Trainable", trained), ("Non-trainable", total - trained))
    return "\n".join(
        [f'Model: "{model.name}"', "_" * 72, *rows, "=" * 72, *(f"{name} params: {count:,}" for name, count in counts)]
    )


def _row(name: str, shape: str, parameters: str) -> str:
    return f" {name:<33} {shape:<25} {parameters:>11}"
