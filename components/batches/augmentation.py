"""Batches + limits -> batches: training images with a random shift, rotation and zoom, different in each epoch."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from components.artifacts.preprocessing import Augmentation
from components.batches.stream import Permutation

if TYPE_CHECKING:
    import tensorflow as tf


def augment_batches(batches: tf.data.Dataset, limits: Augmentation, permutation: Permutation) -> tf.data.Dataset:
    """Moves every image at random; the motions depend only on the seed, the epoch and the batch's index.

    So an interrupted training that continues at a later epoch sees the same images. The epoch is read with the batches,
    which are (uint8 (n, h, w, c), labels), of one epoch. Returns: (float32 (n, h, w, c), 0 to 255, labels).
    """
    import tensorflow as tf

    def augment(index: tf.Tensor, batch: tuple[tf.Tensor, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        images, labels = batch
        epoch = tf.stack([tf.constant(permutation.seed, tf.int64), permutation.epoch.read_value()])
        motions = draw_motions(tf.shape(images)[0], limits, tf.random.fold_in(epoch, index))
        return move(images, motions), labels

    return batches.enumerate().map(
        tf.autograph.experimental.do_not_convert(augment), num_parallel_calls=2, deterministic=True
    )


def draw_motions(rows: int | tf.Tensor, limits: Augmentation, seed: tf.Tensor) -> tf.Tensor:
    """Draws a motion for each image, uniformly within its limits; equal seeds, int64 (2,), draw equal motions.

    Returns:
        float32 (rows, 4): shift to the right and down, as fractions of width and height; rotation in radians,
        counter-clockwise; factor of the size.
    """
    import tensorflow as tf

    reach = [limits.shift, limits.shift, math.radians(limits.rotation), limits.zoom]
    drawn = tf.random.stateless_uniform((rows, 4), seed, -1.0, 1.0, alg="philox")
    return drawn * tf.constant(reach) + tf.constant([0.0, 0.0, 0.0, 1.0])


def move(images: tf.Tensor, motions: tf.Tensor) -> tf.Tensor:
    """Zooms and rotates each image about its centre, then shifts it; pixels from outside the image are 0.

    Images are (n, h, w, c) of any number type, motions float32 (n, 4) as `draw_motions` returns them.
    Returns: float32 (n, h, w, c), bilinearly interpolated.
    """
    import tensorflow as tf

    height, width = images.shape[1:3]
    right, down, angle, factor = tf.unstack(motions, axis=1)
    cos, sin = tf.cos(angle) / factor, tf.sin(angle) / factor
    x_centre, y_centre = (width - 1) / 2, (height - 1) / 2
    x_target, y_target = x_centre + right * width, y_centre + down * height
    zero = tf.zeros_like(cos)
    # The affine map from a pixel of the result back to its source, row by row, without perspective.
    inverse = [
        *(cos, -sin, x_centre - (cos * x_target - sin * y_target)),
        *(sin, cos, y_centre - (sin * x_target + cos * y_target)),
        *(zero, zero),
    ]
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=tf.cast(images, tf.float32),
        transforms=tf.stack(inverse, axis=1),
        output_shape=(height, width),
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
    )
