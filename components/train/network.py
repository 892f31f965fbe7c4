"""Recipe -> Keras Sequential: the classifier's layers, named, so that equal recipes have equal graphs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from components.train.recipe import Recipe

if TYPE_CHECKING:
    import keras


def build_model(image_shape: tuple[int, int, int], classes: int, recipe: Recipe) -> keras.Sequential:
    """Builds the network with fresh weights.

    Its input is float32 (n, h, w, c) with this shape, (height, width, channels); its output has a score by class.
    """
    import keras

    activation = recipe.hidden_activation
    layers: list[keras.layers.Layer] = [keras.layers.Input(image_shape, name="normalized")]
    for index, filters in enumerate(recipe.convolutions, start=1):
        layers += [
            keras.layers.Conv2D(filters, 3, padding="same", activation=activation, name=f"convolution_{index}"),
            keras.layers.MaxPooling2D(2, padding="same", name=f"pooling_{index}"),
        ]
    layers.append(keras.layers.Flatten(name="flatten"))
    for index, units in enumerate(recipe.hidden, start=1):
        layers.append(keras.layers.Dense(units, activation=activation, name=f"hidden_{index}"))
    if recipe.dropout:
        layers.append(keras.layers.Dropout(recipe.dropout, name="dropout"))
    layers.append(keras.layers.Dense(classes, activation=recipe.output_activation, name="scores"))
    return keras.Sequential(layers, name="classifier")


def layers_table(model: keras.Sequential) -> str:
    """The table of `model.summary()`: a line for each layer, and the total number of parameters.

    Keras's own table depends on the terminal's width and encoding, and counts the optimizer's variables of a compiled
    model as parameters. This table depends only on the model, and is 72 ASCII columns wide unless names or shapes are
    longer.
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
