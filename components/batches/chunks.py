"""Examples -> tf.data: chunks, each with the rows of several training steps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from components.artifacts.examples import Examples
from components.artifacts.preprocessing import NONE, Augmentation
from components.batches.augmentation import augment_batches
from components.batches.row_reader import Rows
from components.batches.stream import Order, Permutation, stream_batches

if TYPE_CHECKING:
    import tensorflow as tf

# Of the pixels of a chunk, as uint8. A few chunks are in memory at once.
CHUNK_BYTES = 4 << 20


def training_chunks(
    examples: Examples, rows: Rows, permutation: Permutation, batch_size: int, augmentation: Augmentation = NONE
) -> tf.data.Dataset:
    """The training rows in chunks of equal size: (images (m, h, w, c), labels int64 (m,), rows, an int32 scalar).

    A chunk has whole batches; only the last one of an epoch has fewer rows than m, and is filled up with zeros: XLA
    compiles a function for each shape.

    Args:
        examples: hold the images.
        rows: int64 (n,), rising; those that are trained on, one or more.
        permutation: their order in each epoch.
        batch_size: rows of a training step.
        augmentation: moves the images, which are uint8 without it and float32 with it.
    """
    import tensorflow as tf

    steps = max(1, CHUNK_BYTES // math.prod(examples.image_shape) // batch_size)
    chunk_rows = min(steps, -(-len(rows) // batch_size)) * batch_size
    chunks = stream_batches(examples, "train", chunk_rows, Order(rows, permutation))
    if augmentation != NONE:
        # Before the normalisation: pixels outside the image become black, which `standardize` does not map to 0.
        chunks = augment_batches(chunks, augmentation, permutation)

    def fill(images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        found = tf.shape(labels)[0]

        def filled(values: tf.Tensor) -> tf.Tensor:
            rest = values.shape[1:]
            padded = tf.pad(values, [[0, chunk_rows - found], *([0, 0] for _ in rest)])
            return tf.ensure_shape(padded, (chunk_rows, *rest))

        return filled(images), filled(labels), found

    return chunks.map(tf.autograph.experimental.do_not_convert(fill)).prefetch(1)
