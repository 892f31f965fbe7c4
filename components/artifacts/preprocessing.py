"""Transform: the numbers of the preprocessing, for training's tf.data and for the exported graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from components.artifacts.artifact import Artifact


@dataclass(frozen=True)
class Augmentation:
    """The limits of the random shift, rotation and zoom of an image, in both directions; by default 0.

    Attributes:
        shift: fraction of height and width.
        rotation: degrees.
        zoom: fraction by which it is enlarged or reduced.
    """

    shift: float = 0.0
    rotation: float = 0.0
    zoom: float = 0.0

    def described(self) -> str:
        """The limits as text."""
        return f"training images shifted by up to {self.shift:.0%}, turned {self.rotation:g}°, zoomed {self.zoom:.0%}"


NONE = Augmentation()


@dataclass(frozen=True, kw_only=True)
class Transform(Artifact):
    """Attributes:
    normalization: `unit` or `standardize`.
    scale: by channel; a pixel, 0 to 255, becomes pixel · scale + offset, in float32.
    offset: by channel.
    class_names: by integer label; their number is the depth of one-hot labels.
    augmentation: changes of the training images only; the exported graph does not contain it.
    """

    FILE = "transform.json"

    normalization: str
    scale: tuple[float, ...]
    offset: tuple[float, ...]
    class_names: tuple[str, ...]
    augmentation: Augmentation = NONE

    def described(self) -> dict[str, Any]:
        """The normalisation in the exported graph, for the manifest."""
        return {"normalization": self.normalization, "scale": self.scale, "offset": self.offset}

    def summary(self) -> str:
        """The normalisation as a formula, and the augmentation if there is one."""
        scale, offset = (" ".join(f"{value:.6g}" for value in part) for part in (self.scale, self.offset))
        text = f"{self.normalization}: pixel · {scale} + {offset}; one-hot of {len(self.class_names)} classes"
        return text if self.augmentation == NONE else f"{text}; {self.augmentation.described()}"
