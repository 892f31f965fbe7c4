"""Images and predictions -> drift features, counted in bins."""

from __future__ import annotations

import math
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

Images = npt.NDArray[np.uint8]
Integers = npt.NDArray[np.int64]

# The drift features by name, as messages describe them.
DESCRIPTIONS = {
    "pixels": "the brightness of single pixels",
    "intensity": "the mean brightness of an image",
    "classes": "the mix of predicted classes",
    "confidence": "the confidence of the model",
}
# Images that are counted of each block: enough over several blocks, and few enough to cost no time.
BLOCK_SAMPLE = 128
# Images that are counted of all blocks together, if there are many: more than the largest number that has a limit.
SAMPLE = 2048
# Bins of the values 0 to 255, for each channel: the upper half of the bits of a pixel is its bin.
BIN_BITS = 4
PIXEL_BINS = 1 << BIN_BITS
# Values of pixels that are counted together; each takes 8 bytes meanwhile.
AT_ONCE = 1 << 18
# The fractional parts of its products with square numbers are uniform and have no period (Weyl 1916).
IRRATIONAL = 2**0.5


def stratified_sample(rows: int, at_most: int) -> Integers:
    """A fixed sample of rows: one from each of equal strata, at an offset without a period.

    Data sets are often in order of class, or in turns of the classes: every tenth row could be of one class.

    Returns: int64 (min(rows, at_most),), rising; it depends on these two numbers alone.
    """
    size = min(rows, at_most)
    edges = np.arange(size + 1) * rows // max(size, 1)
    offsets = np.arange(1, size + 1) ** 2 * IRRATIONAL % 1.0
    sample: Integers = edges[:-1] + (offsets * np.diff(edges)).astype(np.int64)
    return sample


def pixel_counts(images: Images) -> Integers:
    """int64 (c · PIXEL_BINS,): pixels of images, uint8 (n, h, w, c), per bin of each channel."""
    half = len(images) // 2
    # numpy converts all values to 64 bits before it counts them. The bins of two pixels fit in one byte.
    pairs = (images[:half] & 0xF0) | (images[half : 2 * half] >> BIN_BITS)
    rest = images[2 * half :] >> BIN_BITS
    counts = []
    for channel in range(images.shape[-1]):
        both = np.bincount(pairs[..., channel].ravel(), minlength=PIXEL_BINS**2).reshape(PIXEL_BINS, PIXEL_BINS)
        alone = np.bincount(rest[..., channel].ravel(), minlength=PIXEL_BINS)
        counts.append(both.sum(axis=0) + both.sum(axis=1) + alone)
    return np.concatenate(counts)


def pixel_counts_of_each(images: Images) -> Integers:
    """int64 (n, c · PIXEL_BINS): as `pixel_counts`, for each image alone."""
    channels = images.shape[-1]
    step = max(1, AT_ONCE // max(1, math.prod(images.shape[1:])))
    counts = [np.zeros((0, channels * PIXEL_BINS), np.int64)]
    for start in range(0, len(images), step):
        part = images[start : start + step]
        places = np.arange(len(part) * channels).reshape(len(part), 1, 1, channels)
        bins = (places << BIN_BITS) + (part >> BIN_BITS)
        found = np.bincount(bins.ravel(), minlength=len(part) * channels * PIXEL_BINS)
        counts.append(found.reshape(len(part), channels * PIXEL_BINS))
    return np.concatenate(counts)


class DriftFeatures(NamedTuple):
    """The drift features of n images, except their pixels.

    Attributes:
        intensity: int64 (n,), the sum of an image's pixels: an integer has no rounding error on any machine.
        classes: int64 (n,), the predicted class.
        confidence: float32 (n,), the probability of that class.
    """

    intensity: Integers
    classes: Integers
    confidence: npt.NDArray[np.float32]

    @classmethod
    def of(cls, images: Images, labels: Integers, confidences: npt.NDArray[np.float32]) -> Self:
        """The features of images, uint8 (n, h, w, c), with their predicted labels (n,) and confidences (n,)."""
        pixels = images.reshape(len(images), math.prod(images.shape[1:]))
        return cls(pixels.sum(axis=1, dtype=np.int64), labels, confidences)


class Bins(NamedTuple):
    """The edges of the bins: bin i holds the values from cut i - 1 to below cut i.

    Attributes:
        classes: the number of classes.
        intensity: rising sums of an image's pixels.
        confidence: rising fractions.
    """

    classes: int
    intensity: tuple[int, ...]
    confidence: tuple[float, ...]

    def one_hot(self, features: DriftFeatures) -> dict[str, Integers]:
        """int64 (n, bins) by feature, except pixels: 1 in the bin of an image."""
        return {
            "intensity": _one_hot(_bin(features.intensity, self.intensity), len(self.intensity) + 1),
            "classes": _one_hot(features.classes, self.classes),
            "confidence": _one_hot(_bin(features.confidence, self.confidence), len(self.confidence) + 1),
        }


def _bin(values: npt.NDArray[np.generic], cuts: tuple[float, ...]) -> Integers:
    # A confidence of NaN reaches no cut: it is in the lowest bin.
    indices: Integers = (values[:, None] >= np.array(cuts)).sum(axis=1)
    return indices


def _one_hot(indices: Integers, bins: int) -> Integers:
    hot: Integers = (indices[:, None] == np.arange(bins)).astype(np.int64)
    return hot
