"""Single faults of an exported model: each changes the trained model, or the exported function, in one place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from components.artifacts.preprocessing import Transform


@dataclass
class Faulty:
    """A trained model that a fault may change.

    Attributes:
        weights: Keras's arrays: kernel and bias of each layer.
        activations: by the index of the layer with weights.
        transform: the preprocessing.
        image_shape: (height, width, channels).
        images, probabilities: functions of tensors that the exported function applies first and last.
    """

    weights: list[np.ndarray]
    activations: list[str]
    transform: Transform
    image_shape: tuple[int, int, int]
    images: Callable[[Any], Any] = field(default=lambda images: images)
    probabilities: Callable[[Any], Any] = field(default=lambda probabilities: probabilities)

    @property
    def dense(self) -> int:
        """The index of the first dense layer's kernel."""
        return next(2 * layer for layer in range(len(self.weights) // 2) if self.weights[2 * layer].ndim == 2)


def scaled(index, factor, place=None):
    """Multiplies the largest weight of an array, or that at a place."""

    def change(model):
        weights = model.weights[index]
        at = np.unravel_index(np.abs(weights).argmax(), weights.shape) if place is None else place
        weights[at] *= factor

    return change


def with_activation(layer, name):
    def change(model):
        if len(model.activations) < 2 and layer != -1:
            raise UnsuitableError
        model.activations[layer] = name

    return change


def with_transform(**changes):
    def change(model):
        model.transform = replace(model.transform, **{name: make(model.transform) for name, make in changes.items()})

    return change


class UnsuitableError(Exception):
    """The model has nothing that the fault could change."""


def rolled(values):
    """The values of the channels, each moved to the next one."""
    if len(set(values)) < 2:
        raise UnsuitableError
    return values[1:] + values[:1]


def first_kernel_as_images(change):
    def apply(model):
        kernel = model.weights[0]
        if kernel.ndim == 4:
            raise UnsuitableError
        as_images = kernel.reshape(*model.image_shape, -1)
        moved = change(as_images)
        if moved.shape != as_images.shape or np.array_equal(moved, as_images):
            raise UnsuitableError
        model.weights[0] = np.ascontiguousarray(moved).reshape(kernel.shape)

    return apply


def columns(order):
    """Puts the classes of the last layer into another order."""

    def change(model):
        for index in (-2, -1):
            model.weights[index] = model.weights[index][..., order(model.weights[-1].size)]

    return change


def transposed(model):
    square = [i for i, w in enumerate(model.weights) if w.ndim == 2 and w.shape[0] == w.shape[1]]
    if not square:
        raise UnsuitableError
    model.weights[square[0]] = np.ascontiguousarray(model.weights[square[0]].T)


def transposed_filters(model):
    if model.weights[0].ndim != 4:
        raise UnsuitableError
    model.weights[0] = np.ascontiguousarray(model.weights[0].transpose(1, 0, 2, 3))


def permuted_units(model):
    if len(model.weights) < 4:
        raise UnsuitableError
    model.weights[0] = model.weights[0][..., ::-1].copy()


def every(index, change):
    def apply(model):
        model.weights[index] = change(model.weights[index])

    return apply


def all_weights(change):
    def apply(model):
        model.weights = [change(number, weights) for number, weights in enumerate(model.weights)]

    return apply


def softmax_of_batch(model):
    import tensorflow as tf

    model.probabilities = lambda p: tf.nn.softmax(tf.math.log(p + 1e-9), axis=0)


def softmax_twice(model):
    import tensorflow as tf

    model.probabilities = lambda p: tf.nn.softmax(p)


def inputs(change):
    def apply(model):
        import tensorflow as tf

        model.images = lambda images: change(tf, images)

    return apply


def swap(classes):
    return [1, 0, *range(2, classes)]


def random_step(scale):
    """Weights as they could be after another epoch, or of another training."""
    random = np.random.default_rng(0)
    return lambda number, weights: weights + (scale * weights.std() * random.normal(size=weights.shape)).astype("f4")


FAULTS: dict[str, Callable[[Faulty], None]] = {
    "one weight of the first layer 1 % larger": scaled(0, 1.01),
    "one weight of the first layer 1 % smaller": scaled(0, 0.99),
    "one weight of the last layer 1 % larger": scaled(-2, 1.01),
    "one weight with the other sign": scaled(-2, -1),
    "one weight 0": scaled(0, 0),
    "one bias of the first layer": every(1, lambda bias: bias + np.eye(1, bias.size, dtype="f4")[0] * 0.01),
    "one bias of the last layer": every(-1, lambda bias: bias + np.eye(1, bias.size, dtype="f4")[0] * 0.01),
    "no bias in the last layer": every(-1, np.zeros_like),
    "no biases": all_weights(lambda number, weights: weights * np.float32(number % 2 == 0)),
    "biases of the first layer in another order": every(1, lambda bias: bias[::-1].copy()),
    "inputs of the last layer in another order": every(-2, lambda kernel: kernel[::-1].copy()),
    "a layer with the other sign": every(0, np.negative),
    "a layer 0.1 % larger": every(-2, lambda kernel: kernel * np.float32(1.001)),
    "weights of bfloat16": every(0, lambda kernel: (kernel.view("u4") & 0xFFFF0000).view("f4")),
    "a transposed square kernel": transposed,
    "transposed filters": transposed_filters,
    "units in another order": permuted_units,
    "one unit without inputs": every(0, lambda kernel: kernel * (np.arange(kernel.shape[-1]) > 0)),
    "height and width swapped": first_kernel_as_images(lambda kernel: kernel.swapaxes(0, 1)),
    "channels swapped in the weights": first_kernel_as_images(lambda kernel: kernel[:, :, ::-1]),
    "images mirrored in the weights": first_kernel_as_images(lambda kernel: kernel[:, ::-1]),
    "images mirrored": inputs(lambda tf, images: tf.reverse(images, [2])),
    "dark and light swapped": inputs(lambda tf, images: tf.constant(255, tf.uint8) - images),
    "1/256 for 1/255": with_transform(scale=lambda one: tuple(scale * 255 / 256 for scale in one.scale)),
    "deviation of another channel": with_transform(scale=lambda one: rolled(one.scale)),
    "mean of another channel": with_transform(offset=lambda one: rolled(one.offset)),
    "no mean": with_transform(offset=lambda one: tuple(0.0 for _ in one.offset)),
    "two classes swapped": columns(swap),
    "classes in reverse order": columns(lambda classes: list(range(classes))[::-1]),
    "a missing activation": with_activation(0, "linear"),
    "another activation": with_activation(0, "softplus"),
    "no softmax": with_activation(-1, "linear"),
    "softmax over the batch": softmax_of_batch,
    "softmax twice": softmax_twice,
    "weights of another epoch": all_weights(random_step(0.01)),
    "weights of another training": all_weights(random_step(1.0)),
}
