"""Transform + Examples -> tf.data: the normalised batches of training, and Keras's probabilities for the test set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from components.artifacts.examples import Examples
from components.artifacts.model import Model
from components.artifacts.preprocessing import NONE, Transform
from components.batches.augmentation import augment_batches
from components.batches.stream import Order, stream_batches

if TYPE_CHECKING:
    import tensorflow as tf

PREDICTION_BATCH_SIZE = 1000


def normalize(transform: Transform, images: tf.Tensor) -> tf.Tensor:
    """Pixels to the model's input, float32 (n, h, w, c): the same operations in training and in the exported graph.

    Pixels are 0 to 255 and uint8 (n, h, w, c), or float32 after augmentation, which interpolates.
    """
    import tensorflow as tf

    def by_pixel(by_channel: tuple[float, ...]) -> tf.Tensor:
        # onnxruntime splits a product by channel into one for each pixel, which takes 30 times as long.
        return tf.broadcast_to(tf.constant(by_channel, tf.float32), images.shape[1:])

    scaled = tf.cast(images, tf.float32) * by_pixel(transform.scale)
    if not any(transform.offset):
        return scaled
    return scaled + by_pixel(transform.offset)


def normalized_batches(
    transform: Transform,
    examples: Examples,
    split: str,
    batch_size: int,
    *,
    one_hot: bool,
    order: Order | None = None,
) -> tf.data.Dataset:
    """The normalised batches of a split: (float32 (n, h, w, c), labels); the last one may be smaller.

    Args:
        transform: the preprocessing.
        examples: hold the images.
        split: the split's name.
        batch_size: rows per batch.
        one_hot: labels as float32 (n, classes) instead of int64 (n,).
        order: None: all rows in their order. A permutation means training, so permuted rows are augmented.
    """
    import tensorflow as tf

    depth = len(transform.class_names)

    def prepare(images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return normalize(transform, images), tf.one_hot(labels, depth) if one_hot else labels

    batches = stream_batches(examples, split, batch_size, order)
    if order is not None and order.permutation is not None and transform.augmentation != NONE:
        # Before the normalisation: pixels outside the image become black, which `standardize` does not map to 0.
        batches = augment_batches(batches, transform.augmentation, order.permutation)
    return batches.map(prepare, num_parallel_calls=2, deterministic=True).prefetch(16)


def keras_probabilities(model: Model, examples: Examples, transform: Transform) -> npt.NDArray[np.float32]:
    """float32 (n, classes): the Keras model's probabilities for the test set, in order; each row sums to 1."""
    batches = normalized_batches(transform, examples, "test", PREDICTION_BATCH_SIZE, one_hot=False)
    scores: npt.NDArray[np.float32] = model.keras_model().predict(batches, verbose=0)
    probabilities: npt.NDArray[np.float32] = scores / scores.sum(axis=1, keepdims=True)
    return probabilities
