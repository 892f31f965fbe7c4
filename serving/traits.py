"""Images and what a model says of them -> traits, and the bins that these are counted in."""

from __future__ import annotations

import math
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from serving.inputs.blocks import Images

Integers = npt.NDArray[np.int64]

# The traits by name, and what each is to a person.
MEANINGS = {
    "pixels": "the brightness of single pixels",
    "intensity": "the mean brightness of an image",
    "classes": "the mix of predicted classes",
    "confidence": "the confidence of the model",
}
# Of one block of images: enough together, and too few to be felt beside the scoring.
BLOCK_SAMPLE = 128
# Of the values 0 to 255, for each channel.
PIXEL_BINS = 16
# The fractional parts of its products with square numbers lie evenly, and in step with nothing (Weyl 1916).
IRRATIONAL = 2**0.5


def spread(rows: int, at_most: int) -> Integers:
    """A fixed sample of rows: one of each of equal parts, its place in the part in step with no order of the rows.

    Sets come in order of class, or with the classes in turn, of which every tenth row would be one class.

    Args:
        rows: 0 or more, which alone decides the sample.
        at_most: how many to take; all, where there are no more.

    Returns:
        int64 (min(rows, at_most),), rising.
    """
    taken = min(rows, at_most)
    edges = np.arange(taken + 1) * rows // max(taken, 1)
    places = np.arange(1, taken + 1) ** 2 * IRRATIONAL % 1.0
    sample: Integers = edges[:-1] + (places * np.diff(edges)).astype(np.int64)
    return sample


def pixel_counts(images: Images) -> Integers:
    """int64 (c · PIXEL_BINS,): how many pixels of some images, uint8 (n, h, w, c), are in each bin of each channel."""
    width = 256 // PIXEL_BINS
    channels = [np.bincount(images[..., channel].ravel(), minlength=256) for channel in range(images.shape[-1])]
    counts: Integers = np.concatenate(channels).reshape(-1, width).sum(axis=1)
    return counts


class Traits(NamedTuple):
    """What is looked at of each of n images.

    Attributes:
        intensity: int64 (n,), the sum of its pixels: integers, so that no machine rounds them otherwise.
        classes: int64 (n,), the class that the model gives it.
        confidence: float32 (n,), the probability of that class.
    """

    intensity: Integers
    classes: Integers
    confidence: npt.NDArray[np.float32]

    @classmethod
    def of(cls, images: Images, labels: Integers, confidences: npt.NDArray[np.float32]) -> Self:
        """Looks at images, uint8 (n, h, w, c), at the labels (n,) that a model gives them, and how sure it is (n,)."""
        pixels = images.reshape(len(images), math.prod(images.shape[1:]))
        return cls(pixels.sum(axis=1, dtype=np.int64), labels, confidences)


class Bins(NamedTuple):
    """Where the values of a trait are cut: bin i holds what is at least cut i - 1, and less than cut i.

    Attributes:
        classes: how many the model knows.
        intensity: rising sums of an image's pixels.
        confidence: rising fractions.
    """

    classes: int
    intensity: tuple[int, ...]
    confidence: tuple[float, ...]

    def sort(self, traits: Traits) -> dict[str, Integers]:
        """int64 (n, bins) by trait, but the pixels: 1 where an image is in a bin."""
        return {
            "intensity": _one_hot(_place(traits.intensity, self.intensity), len(self.intensity) + 1),
            "classes": _one_hot(traits.classes, self.classes),
            "confidence": _one_hot(_place(traits.confidence, self.confidence), len(self.confidence) + 1),
        }


def _place(values: npt.NDArray[np.generic], cuts: tuple[float, ...]) -> Integers:
    # A confidence that is no number reaches no cut: it is the least sure.
    place: Integers = (values[:, None] >= np.array(cuts)).sum(axis=1)
    return place


def _one_hot(places: Integers, bins: int) -> Integers:
    hot: Integers = (places[:, None] == np.arange(bins)).astype(np.int64)
    return hot
