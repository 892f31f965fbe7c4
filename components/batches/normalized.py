"""Transform + Examples -> tf.data: normalised batches, and Keras's probabilities for the test set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from components.artifacts.examples import Examples
from components.artifacts.model import Model
from components.artifacts.preprocessing import Transform
from components.batches.stream import stream_batches

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


def normalized_batches(transform: Transform, examples: Examples, split: str, batch_size: int) -> tf.data.Dataset:
    """The normalised batches of a split, in order: (float32 (n, h, w, c), int64 (n,)); the last one may be smaller."""
    import tensorflow as tf

    def prepare(images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return normalize(transform, images), labels

    batches = stream_batches(examples, split, batch_size)
    return batches.map(
        tf.autograph.experimental.do_not_convert(prepare), num_parallel_calls=2, deterministic=True
    ).prefetch(16)


def keras_probabilities(model: Model, examples: Examples, transform: Transform) -> npt.NDArray[np.float32]:
    """float32 (n, classes): the Keras model's probabilities for the test set, in order; each row sums to 1."""
    batches = normalized_batches(transform, examples, "test", PREDICTION_BATCH_SIZE)
    scores: npt.NDArray[np.float32] = model.keras_model().predict(batches, verbose=0)
    probabilities: npt.NDArray[np.float32] = scores / scores.sum(axis=1, keepdims=True)
    return probabilities
