"""Model -> its layers as arrays: the trained weights and the architecture, without TensorFlow."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from components.artifacts.model import ARCHITECTURE, Model
from serving.errors import BeamlineError

Weights = npt.NDArray[np.float32]
# Layers that change no value when the model predicts.
WITHOUT_EFFECT = ("InputLayer", "Dropout", "Flatten")


@dataclass(frozen=True, eq=False)
class Weighted:
    """A layer with weights: dense, or a convolution with stride 1 and padding `same`.

    Attributes:
        name: Keras's name of the layer.
        kernel: (inputs, units), or (height, width, inputs, filters).
        bias: (units,) or (filters,).
        activation: Keras's name of it.
    """

    name: str
    kernel: Weights
    bias: Weights
    activation: str

    @property
    def is_dense(self) -> bool:
        """Whether it is a dense layer."""
        return self.kernel.ndim == 2


@dataclass(frozen=True)
class Pooling:
    """The largest value of each square of `size` × `size` values; at the edges, of those that exist."""

    size: int


Layer = Weighted | Pooling


def layers_of(model: Model) -> list[Layer]:
    """The layers of a trained model, in order.

    Raises: BeamlineError: a layer of another kind than `train` builds.
    """
    described = json.loads((model.path / ARCHITECTURE).read_text(encoding="utf-8"))
    weights = iter(model.weights())
    found = [_layer(entry["class_name"], entry["config"], weights) for entry in described["config"]["layers"]]
    return [layer for layer in found if layer is not None]


def products_of(layers: list[Layer], image_shape: tuple[int, ...]) -> int:
    """The number of products that the layers add up for one image of the shape (height, width, channels)."""
    height, width, _ = image_shape
    total = 0
    for layer in layers:
        if isinstance(layer, Pooling):
            height, width = -(-height // layer.size), -(-width // layer.size)
        else:
            total += layer.kernel.size * (1 if layer.is_dense else height * width)
    return total


def _layer(kind: str, config: dict[str, Any], weights: Iterator[Weights]) -> Layer | None:
    if kind in WITHOUT_EFFECT:
        return None
    if kind == "MaxPooling2D" and config["padding"] == "same" and config["pool_size"] == config["strides"]:
        return Pooling(config["pool_size"][0])
    if kind == "Dense" or (kind == "Conv2D" and config["padding"] == "same" and config["strides"] == [1, 1]):
        return Weighted(config["name"], next(weights), next(weights), config["activation"])
    raise BeamlineError(f"layer {config.get('name')} is a {kind} that verify cannot calculate: use a preset's layers")
