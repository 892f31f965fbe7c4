"""Counts of scored images, and the Baseline of the training images -> Drift. No labels are needed."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from typing import Self

import numpy as np
import numpy.typing as npt

from serving.blocks import Images
from serving.bundle.bundle import Bundle
from serving.bundle.manifest import refusal
from serving.codec import FormatError, parse
from serving.drift.divergence import Divergence, jensen_shannon, shares, stability_index
from serving.drift.features import (
    BLOCK_SAMPLE,
    DESCRIPTIONS,
    SAMPLE,
    Bins,
    DriftFeatures,
    Integers,
    pixel_counts,
    stratified_sample,
)
from serving.drift.verdict import Drift, DriftFigure

# The bundle's file with the drift features of its training images and the limits for other images.
BASELINE = "drift.json"


@dataclass(frozen=True)
class DriftCounts:
    """Counts of sampled images, per bin of each drift feature. All are integers: the order of addition has no effect.

    Attributes:
        rows: the number of images.
        pixels: pixels per bin of each channel.
        intensity: images per bin.
        classes: images per predicted class.
        confidence: images per bin.
    """

    rows: int
    pixels: tuple[int, ...]
    intensity: tuple[int, ...]
    classes: tuple[int, ...]
    confidence: tuple[int, ...]

    @property
    def bins(self) -> dict[str, tuple[int, ...]]:
        """The counts by feature."""
        return {feature: getattr(self, feature) for feature in DESCRIPTIONS}

    def __add__(self, other: DriftCounts) -> DriftCounts:
        pairs = {feature: zip(counts, other.bins[feature], strict=True) for feature, counts in self.bins.items()}
        return DriftCounts(
            self.rows + other.rows, **{feature: tuple(map(sum, counts)) for feature, counts in pairs.items()}
        )


@dataclass(frozen=True)
class Limits:
    """The largest divergence of each feature that does not count as drift, for samples of at least `rows` images."""

    rows: int
    pixels: Divergence
    intensity: Divergence
    classes: Divergence
    confidence: Divergence

    @property
    def divergences(self) -> dict[str, Divergence]:
        """The limits by feature."""
        return {feature: getattr(self, feature) for feature in DESCRIPTIONS}


@dataclass(frozen=True)
class Baseline:
    """The drift features of the training images and of a model's predictions for them.

    Attributes:
        intensity_cuts: the edges between the bins, ascending: sums of an image's pixel values.
        confidence_cuts: the edges between the bins, ascending, 0 to 1.
        counts: the counts of most of the sampled training images.
        limits: computed from the other sampled images, by ascending `rows`; empty if there were too few images.
    """

    intensity_cuts: tuple[int, ...]
    confidence_cuts: tuple[float, ...]
    counts: DriftCounts
    limits: tuple[Limits, ...]

    def __post_init__(self) -> None:
        for feature, cuts in (("intensity", self.intensity_cuts), ("confidence", self.confidence_cuts)):
            bins = len(self.counts.bins[feature])
            if bins != len(cuts) + 1:
                raise ValueError(f"{feature} has {bins} bins with {len(cuts)} cuts between them")

    @classmethod
    def load(cls, bundle: Bundle) -> Self | None:
        """The baseline of a bundle; None if an older one has none. Raises: BundleError: the file is damaged."""
        if BASELINE not in bundle.files:
            return None
        try:
            return parse(cls, bundle.read(BASELINE), "baseline")
        except FormatError as error:
            raise refusal(bundle.path, f"{BASELINE} is damaged ({error}): promote the model again") from error

    @property
    def bins(self) -> Bins:
        """The bins in which images are counted."""
        return Bins(len(self.counts.classes), self.intensity_cuts, self.confidence_cuts)

    def empty(self) -> DriftCounts:
        """The counts of no images."""
        return DriftCounts(0, **{feature: (0,) * len(counts) for feature, counts in self.counts.bins.items()})

    def count(self, images: Images, labels: Integers, confidences: npt.NDArray[np.float32]) -> DriftCounts:
        """Counts images, uint8 (m, h, w, c), with their predicted labels and confidences, both (m,).

        The caller selects the `sampled_rows` of a block.
        """
        features = DriftFeatures.of(images, labels, confidences)
        return count_bins(pixel_counts(images)[None], self.bins.one_hot(features))

    def compare(self, counts: DriftCounts) -> Drift:
        """Compares counts of scored images with the baseline.

        The limits are those with the largest `rows` that the sample reaches. If it reaches none, no figure is computed.
        """
        needed = self.limits[0].rows if self.limits else None
        reached = tuple(takewhile(lambda limits: limits.rows <= counts.rows, self.limits))
        if not reached:
            return Drift(counts.rows, {}, needed)
        figures = {
            feature: DriftFigure(_divergence(self.counts.bins[feature], counts.bins[feature]), limit)
            for feature, limit in reached[-1].divergences.items()
        }
        return Drift(counts.rows, figures, needed)


def sampled_rows(rows: int, blocks: int = 1) -> Integers:
    """The indices of the rows that are counted in a block of this size: int64 (m,), ascending, always the same.

    Of many blocks, fewer rows of each are counted, because more than SAMPLE rows together take time and tell no more.
    """
    return stratified_sample(rows, min(BLOCK_SAMPLE, -(-SAMPLE // blocks)))


def count_bins(pixels: Integers, one_hot: dict[str, Integers]) -> DriftCounts:
    """Adds up the counts of all images.

    Args:
        pixels: int64 (m, bins), of all images together, or of parts of them.
        one_hot: int64 (n, bins) by feature, one row per image, from `Bins.one_hot`.
    """
    columns = {"pixels": pixels, **one_hot}
    rows = len(one_hot["classes"])
    return DriftCounts(rows, **{feature: tuple(bins.sum(axis=0).tolist()) for feature, bins in columns.items()})


def _divergence(expected: tuple[int, ...], found: tuple[int, ...]) -> Divergence:
    fractions = shares(np.array(expected)), shares(np.array(found))
    return Divergence(float(stability_index(*fractions)), float(jensen_shannon(*fractions)))
