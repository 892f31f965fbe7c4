"""Augmentation -> tf.data: training images shifted, turned and zoomed a little, differently in each epoch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from components.input import Permutation

if TYPE_CHECKING:
    import tensorflow as tf


@dataclass(frozen=True)
class Augmentation:
    """How far an image is moved at most, each way; the default moves nothing.

    Attributes:
        shift: fraction of height and width.
        rotation: degrees.
        zoom: fraction by which it is enlarged or reduced.
    """

    shift: float = 0.0
    rotation: float = 0.0
    zoom: float = 0.0

    def described(self) -> str:
        """The limits, in words."""
        return f"training images shifted by up to {self.shift:.0%}, turned {self.rotation:g}°, zoomed {self.zoom:.0%}"


NONE = Augmentation()


def augment_batches(batches: tf.data.Dataset, limits: Augmentation, permutation: Permutation) -> tf.data.Dataset:
    """Moves every image of every batch, by seed, epoch and the batch's number alone.

    So an interrupted training that goes on at a later epoch sees what it would have seen.

    Args:
        batches: (uint8 (n, h, w, c), labels), of one epoch.
        limits: how far at most.
        permutation: whose seed and epoch it is; the epoch is read as the batches are.

    Returns:
        Batches of (float32 (n, h, w, c), 0 to 255, labels).
    """
    import tensorflow as tf

    def augment(number: tf.Tensor, batch: tuple[tf.Tensor, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        images, labels = batch
        epoch = tf.stack([tf.constant(permutation.seed, tf.int64), permutation.epoch.read_value()])
        motions = draw_motions(tf.shape(images)[0], limits, tf.random.fold_in(epoch, number))
        return move(images, motions), labels

    return batches.enumerate().map(augment, num_parallel_calls=2, deterministic=True)


def draw_motions(rows: int | tf.Tensor, limits: Augmentation, seed: tf.Tensor) -> tf.Tensor:
    """Draws how each image is moved, each value uniformly within its limits.

    Args:
        rows: how many.
        limits: how far at most.
        seed: int64 (2,); the same seed draws the same.

    Returns:
        float32 (rows, 4): to the right and down, as fractions of width and height; radians, counter-clockwise; and
        the factor of the size.
    """
    import tensorflow as tf

    reach = [limits.shift, limits.shift, math.radians(limits.rotation), limits.zoom]
    drawn = tf.random.stateless_uniform((rows, 4), seed, -1.0, 1.0, alg="philox")
    return drawn * tf.constant(reach) + tf.constant([0.0, 0.0, 0.0, 1.0])


def move(images: tf.Tensor, motions: tf.Tensor) -> tf.Tensor:
    """Zooms and turns each image about its centre, then shifts it; what comes in from outside is 0.

    Args:
        images: (n, h, w, c), of any number type.
        motions: float32 (n, 4), as `draw_motions` gives them.

    Returns:
        float32 (n, h, w, c), interpolated linearly between the four nearest pixels.
    """
    import tensorflow as tf

    height, width = images.shape[1:3]
    right, down, angle, factor = tf.unstack(motions, axis=1)
    cos, sin = tf.cos(angle) / factor, tf.sin(angle) / factor
    x_centre, y_centre = (width - 1) / 2, (height - 1) / 2
    x_target, y_target = x_centre + right * width, y_centre + down * height
    nothing = tf.zeros_like(cos)
    # The affine map from a pixel of the result back to its source, row by row, and no perspective.
    back = [
        *(cos, -sin, x_centre - (cos * x_target - sin * y_target)),
        *(sin, cos, y_centre - (sin * x_target + cos * y_target)),
        *(nothing, nothing),
    ]
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=tf.cast(images, tf.float32),
        transforms=tf.stack(back, axis=1),
        output_shape=(height, width),
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
    )
