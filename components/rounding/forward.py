"""Layers + images -> probabilities: the forward pass in numpy, in a chosen arithmetic."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from components.artifacts.preprocessing import Transform
from components.rounding.layers import Layer, Pooling, Weighted, products_of
from serving.blocks import Images

Array = npt.NDArray[Any]
# (values (n, inputs), kernel (inputs, units)) -> (n, units): the sums of products.
Product = Callable[[Array, Array], Array]
Function = Callable[[Array], Array]


class ValuePlace(NamedTuple):
    """Where values are in a network.

    Attributes:
        layer: after the layer with this index; -1: the preprocessed images.
        summed: the sums of a convolution before its activation, which int8 rounds if the activation is not relu.
    """

    layer: int
    summed: bool = False


# (place, values) -> values: sees or changes the values at a place.
Watch = Callable[[ValuePlace, Array], Array]


def _unchanged(values: Array) -> Array:
    return values


@dataclass(frozen=True)
class Arithmetic:
    """How a forward pass calculates.

    Attributes:
        dtype: of all values: float64 or float32.
        product: adds products up, in an order of its own.
        folded: whether the first layer's weights hold the preprocessing, as in the exported ONNX file, where that is
            possible.
        relative_error: changes the results of exponentials, which libraries approximate: a fraction of each result.
        absolute_error: the same for functions with results from -1 to 1, whose error does not become small near 0.
        watch: is given the values at each place, and returns those that the next operation takes.
    """

    dtype: type[np.floating[Any]] = np.float64
    product: Product = np.matmul
    folded: bool = False
    relative_error: Function = _unchanged
    absolute_error: Function = _unchanged
    watch: Watch = lambda place, values: values


EXACT = Arithmetic()


class Forward:
    """The forward pass of a trained model.

    Attributes:
        products: the number of products that are added up for one image.
    """

    def __init__(self, layers: list[Layer], transform: Transform | None, image_shape: tuple[int, ...]) -> None:
        """Prepares the layers.

        Args:
            layers: as from `layers_of`.
            transform: the preprocessing; None if the first layer takes the pixels.
            image_shape: (height, width, channels).
        """
        self._layers = layers
        self.products = products_of(layers, image_shape)
        constants: tuple[Array, Array] = (np.ones(1), np.zeros(1)) if transform is None else constants_of(transform)
        self._scale, self._offset = constants
        first = next(layer for layer in layers if isinstance(layer, Weighted))
        self._folded: list[Layer] | None = None
        if transform is not None and can_fold(first, transform):
            folded = fold(first, transform, image_shape)
            self._folded = [folded if layer is first else layer for layer in layers]

    @property
    def ends_in_sigmoid(self) -> bool:
        """Whether the probabilities are sigmoids, divided by their sum."""
        last = self._layers[-1]
        return isinstance(last, Weighted) and last.activation == "sigmoid"

    def run(self, images: Images, arithmetic: Arithmetic = EXACT) -> tuple[Array, Array]:
        """The probabilities of images, uint8 (n, h, w, c), 0 to 255.

        Returns: the probabilities, (n, classes), and the sums (n,) by which the last layer's values were divided.
        """
        values = images.astype(arithmetic.dtype)
        layers = self._layers
        if arithmetic.folded and self._folded is not None:
            layers = self._folded
        else:
            values *= self._scale.astype(arithmetic.dtype)
            values += self._offset.astype(arithmetic.dtype)
        values = arithmetic.watch(ValuePlace(-1), values)
        for index, layer in enumerate(layers):
            if isinstance(layer, Pooling):
                values = _pooled(values, layer.size)
            else:
                values = _weighted(values, layer, index, arithmetic)
            values = arithmetic.watch(ValuePlace(index), values)
        sums = values.sum(axis=1)
        return values / sums[:, None], sums


def constants_of(transform: Transform) -> tuple[Array, Array]:
    """Scale and offset by channel, float64: the float32 values of training and of the exported graph."""
    scale, offset = (np.asarray(part, np.float32).astype(np.float64) for part in (transform.scale, transform.offset))
    return scale, offset


def can_fold(first: Weighted, transform: Transform) -> bool:
    """Whether the first layer's weights can hold the preprocessing: export then folds it.

    A convolution pads with zeros after the preprocessing, so its weights cannot hold an offset.
    """
    return first.is_dense or not any(transform.offset)


def fold(layer: Weighted, transform: Transform, image_shape: tuple[int, ...]) -> Weighted:
    """The layer for pixels, 0 to 255: its float32 weights and bias hold the preprocessing.

    (x · scale + offset) · W + b = x · (scale · W) + (offset · W + b).
    """
    kernel, bias = layer.kernel.astype(np.float64), layer.bias.astype(np.float64)
    scale, offset = constants_of(transform)
    if layer.is_dense:
        scale, offset = (np.broadcast_to(part, image_shape).ravel() for part in (scale, offset))
        bias = bias + offset @ kernel
        kernel = scale[:, None] * kernel
    else:
        kernel = scale[:, None] * kernel
    return replace(layer, kernel=kernel.astype(np.float32), bias=bias.astype(np.float32))


def _weighted(values: Array, layer: Weighted, index: int, arithmetic: Arithmetic) -> Array:
    kernel, bias = layer.kernel.astype(arithmetic.dtype), layer.bias.astype(arithmetic.dtype)
    if layer.is_dense:
        sums = arithmetic.product(values.reshape(len(values), -1), kernel) + bias
    else:
        sums = _convolved(values, kernel, arithmetic.product) + bias
        if layer.activation != "relu":
            sums = arithmetic.watch(ValuePlace(index, summed=True), sums)
    return ACTIVATIONS[layer.activation](sums, arithmetic)


def _convolved(values: Array, kernel: Array, product: Product) -> Array:
    rows, columns, inputs, filters = kernel.shape
    _, height, width, _ = values.shape
    # Keras puts the smaller half of the zeros before the image.
    padding = [(0, 0), *(((size - 1) // 2, size // 2) for size in (rows, columns)), (0, 0)]
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(values, padding), (rows, columns), axis=(1, 2))
    # (n, h, w, inputs, rows, columns) -> (n · h · w, rows · columns · inputs)
    patches = windows.transpose(0, 1, 2, 4, 5, 3).reshape(-1, rows * columns * inputs)
    return product(patches, kernel.reshape(-1, filters)).reshape(-1, height, width, filters)


def _pooled(values: Array, size: int) -> Array:
    _, height, width, _ = values.shape
    missing = [(0, 0), *((-side % size // 2, (-side % size + 1) // 2) for side in (height, width)), (0, 0)]
    padded = np.pad(values, missing, constant_values=-np.inf)
    rows, columns = padded.shape[1] // size, padded.shape[2] // size
    pooled: Array = padded.reshape(-1, rows, size, columns, size, values.shape[3]).max(axis=(2, 4))
    return pooled


def _sigmoid(values: Array, arithmetic: Arithmetic) -> Array:
    with np.errstate(over="ignore"):
        sigmoids: Array = np.maximum(arithmetic.absolute_error(1 / (1 + np.exp(-values))), 0)
    return sigmoids


def _gelu(values: Array, arithmetic: Arithmetic) -> Array:
    # numpy has no error function; math's calculates in float64.
    error_function = np.vectorize(math.erf, otypes=[values.dtype])
    inside: Array = error_function(values * values.dtype.type(math.sqrt(0.5)))
    twice: Array = values * (1 + arithmetic.absolute_error(inside))
    return twice / 2


def _elu(values: Array, arithmetic: Arithmetic) -> Array:
    below: Array = arithmetic.absolute_error(np.expm1(np.minimum(values, 0)))
    return np.where(values > 0, values, below)


def _softmax(values: Array, arithmetic: Arithmetic) -> Array:
    powers = arithmetic.relative_error(np.exp(values - values.max(axis=-1, keepdims=True)))
    quotients: Array = powers / powers.sum(axis=-1, keepdims=True)
    return quotients


# By Keras's name.
ACTIVATIONS: dict[str, Callable[[Array, Arithmetic], Array]] = {
    "elu": _elu,
    "gelu": _gelu,
    "relu": lambda values, _: np.maximum(values, 0),
    "sigmoid": _sigmoid,
    "softmax": _softmax,
    "tanh": lambda values, arithmetic: arithmetic.absolute_error(np.tanh(values)),
}
