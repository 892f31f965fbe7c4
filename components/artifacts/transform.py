"""Transform: the one definition of the preprocessing, for training's tf.data and for the exported graph."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from components.artifacts.artifact import Artifact, read_values, values
from components.artifacts.examples import Examples
from components.augmentation import NONE, Augmentation, augment_batches
from components.input import Order, stream_batches
from serving.files import write_json

if TYPE_CHECKING:
    import tensorflow as tf


@dataclass(frozen=True, kw_only=True)
class Transform(Artifact):
    """Attributes:
    normalization: `unit` or `standardize`.
    scale: by channel; a pixel of 0 to 255 becomes pixel · scale + offset, in float32.
    offset: by channel.
    class_names: by integer label; their number is the depth of one-hot.
    augmentation: of the images that are trained on, and of no others; the exported graph knows nothing of it.
    """

    normalization: str
    scale: tuple[float, ...]
    offset: tuple[float, ...]
    class_names: tuple[str, ...]
    augmentation: Augmentation = NONE

    def normalize(self, images: tf.Tensor) -> tf.Tensor:
        """Pixels to the model's input; the same operations in training and in the exported graph.

        Args:
            images: uint8 (n, h, w, c), 0 to 255; float32 where augmentation has interpolated.

        Returns:
            float32 (n, h, w, c).
        """
        import tensorflow as tf

        def by_pixel(by_channel: tuple[float, ...]) -> tf.Tensor:
            # onnxruntime takes a product by channel apart into as many as there are pixels: 30 times as long.
            return tf.broadcast_to(tf.constant(by_channel, tf.float32), images.shape[1:])

        scaled = tf.cast(images, tf.float32) * by_pixel(self.scale)
        if not any(self.offset):
            return scaled
        return scaled + by_pixel(self.offset)

    def dataset(
        self, examples: Examples, split: str, batch_size: int, *, one_hot: bool, order: Order | None = None
    ) -> tf.data.Dataset:
        """The normalised batches of a split, vectorised.

        Args:
            examples: where the images are.
            split: which of its splits.
            batch_size: rows a batch; the last one may be smaller.
            one_hot: labels as float32 (n, classes) instead of int64 (n,).
            order: which rows, and how they are permuted; None is all of them as they stand. Rows are permuted to
                be trained on, so these are the ones that are augmented.

        Returns:
            Batches of (float32 (n, h, w, c), labels).
        """
        import tensorflow as tf

        depth = len(self.class_names)

        def prepare(images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            return self.normalize(images), tf.one_hot(labels, depth) if one_hot else labels

        batches = stream_batches(examples, split, batch_size, order)
        if order is not None and order.permutation is not None and self.augmentation != NONE:
            # Pixels, not the model's input: what comes in from outside is black, which standardize does not leave at 0.
            batches = augment_batches(batches, self.augmentation, order.permutation)
        return batches.map(prepare, num_parallel_calls=2, deterministic=True).prefetch(16)

    def described(self) -> dict[str, Any]:
        """What the exported graph does to a pixel, for the manifest."""
        return {"normalization": self.normalization, "scale": self.scale, "offset": self.offset}

    def save(self) -> Self:
        """Writes transform.json."""
        write_json(self.path / "transform.json", values(self))
        return self

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads transform.json."""
        said = read_values(path / "transform.json")
        return cls(path=path, augmentation=Augmentation(**said.pop("augmentation")), **said)

    def summary(self) -> str:
        """The normalisation as a formula, and the augmentation where there is one."""
        scale, offset = (" ".join(f"{value:.6g}" for value in part) for part in (self.scale, self.offset))
        said = f"{self.normalization}: pixel · {scale} + {offset}; one-hot of {len(self.class_names)} classes"
        return said if self.augmentation == NONE else f"{said}; {self.augmentation.described()}"
