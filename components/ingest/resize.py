"""Images of any size -> images of one size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import tensorflow as tf


def resize(images: npt.NDArray[np.uint8], size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """Resizes images with an antialiased triangle filter; equal to Pillow's BILINEAR within one level.

    Args:
        images: uint8 (n, h, w, c), 0 to 255; returned as they are if they have this size.
        size: height and width.
    """
    if images.shape[1:3] == size:
        return images
    resized: npt.NDArray[np.uint8] = resize_tensor(images, size).numpy()
    return resized


def resize_tensor(images: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    """As `resize`, for tensors (n, h, w, c) or (h, w, c)."""
    import tensorflow as tf

    # With antialias, the filter covers the step between output pixels, so that shrinking uses every input pixel.
    return tf.saturate_cast(tf.round(tf.image.resize(images, size, antialias=True)), tf.uint8)
