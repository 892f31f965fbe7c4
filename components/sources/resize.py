"""Images of any size -> images of one size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import tensorflow as tf


def resize(images: npt.NDArray[np.uint8], size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """Resizes images with a triangle filter as wide as the step, as Pillow's BILINEAR does, to within one level.

    Args:
        images: uint8 (n, h, w, c), 0 to 255.
        size: height and width.

    Returns:
        uint8 (n, *size, c); the same array where it has that size already.
    """
    if images.shape[1:3] == size:
        return images
    resized: npt.NDArray[np.uint8] = resize_tensor(images, size).numpy()
    return resized


def resize_tensor(images: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    """As `resize`, of tensors, with or without their first extent."""
    import tensorflow as tf

    # The kernel's reach is the step between output pixels: where images shrink, none of their pixels is left out.
    return tf.saturate_cast(tf.round(tf.image.resize(images, size, antialias=True)), tf.uint8)
