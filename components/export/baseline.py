"""Examples + Network -> drift.json: the distributions of the training images, and limits for other images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from components.artifacts.examples import Examples
from serving.codec import to_json
from serving.drift.divergence import Divergence, jensen_shannon, shares, stability_index
from serving.drift.drift import BASELINE, Baseline, Limits, count_bins
from serving.drift.features import DESCRIPTIONS, Bins, DriftFeatures, Integers, pixel_counts_of_each, stratified_sample
from serving.files import write_json
from serving.scoring.network import Network

# Largest number of training images: the baseline's own noise is then a fifth of that of the largest sample with limits.
ROWS = 10_000
# One training image in five is for the limits only; the other four are the baseline.
LIMIT_FRACTION = 5
# Cuts at the deciles: all bins have the same number of training images.
QUANTILES = np.arange(1, 10) / 10
# Later places are noise: another processor, or int8, would put an image into another bin.
CONFIDENCE_PLACES = 4
# Sizes of the samples with limits; larger samples have the limits of the last size.
SAMPLE_SIZES = (50, 100, 200, 400, 800, 1600)
# Number of samples of each size. The limit is the largest distance among them, times the margin.
SAMPLES = 500
# All of them together would take 30 MB.
DRAWN_TOGETHER = 50
MARGIN = 2.0
# The smallest limits, in PSI: below 0.1 nothing has shifted, above 0.25 much has (Siddiqi 2006). A model has a higher
# confidence on its training images than on new images of the same kind: with few images, this alone exceeds 0.1.
FLOORS = {"pixels": 0.1, "intensity": 0.1, "classes": 0.1, "confidence": 0.25}


def write_baseline(network: Network, examples: Examples, out: Path) -> Baseline:
    """Counts the drift features of a sample of the training images, chooses limits, and writes both into the bundle.

    Only the training split of the examples is read, a block at a time.
    """
    pixels, features = _sample_features(network, examples)
    for_limits = np.zeros(len(pixels), bool)
    for_limits[stratified_sample(len(pixels), len(pixels) // LIMIT_FRACTION)] = True
    kept = _rows(features, ~for_limits)
    bins = Bins(
        classes=len(examples.class_names),
        intensity=tuple(np.unique(_quantiles(kept.intensity)).tolist()),
        confidence=_confidence_cuts(kept.confidence),
    )
    counts = count_bins(pixels[~for_limits], bins.one_hot(kept))
    limit_rows = {"pixels": pixels[for_limits], **bins.one_hot(_rows(features, for_limits))}
    baseline = Baseline(bins.intensity, bins.confidence, counts, choose_limits(counts.bins, limit_rows))
    write_json(out / BASELINE, to_json(baseline))
    return baseline


def choose_limits(baseline: dict[str, tuple[int, ...]], limit_rows: dict[str, Integers]) -> tuple[Limits, ...]:
    """Chooses limits by sample size: the largest distance of a sample from the baseline, with a margin.

    Samples are drawn with replacement (Efron 1979, the bootstrap), so they can be larger than the number of rows.
    `baseline` has the counts of its images by feature; `limit_rows`, int64 (n, bins) by feature, one row for each other
    image. Without rows, there are no limits.
    """
    rows = len(limit_rows["classes"])
    if not rows:
        return ()
    # Only integers are drawn and summed, and floats hold them exactly: the result is the same on every processor.
    random = np.random.default_rng(0)
    columns = np.concatenate([limit_rows[feature] for feature in DESCRIPTIONS], axis=1).astype(np.float64)
    starts = np.cumsum([limit_rows[feature].shape[1] for feature in DESCRIPTIONS])[:-1]
    chosen = []
    for size in SAMPLE_SIZES:
        summed = np.concatenate([_draw(random, size, columns) for _ in range(SAMPLES // DRAWN_TOGETHER)])
        samples = zip(DESCRIPTIONS, np.split(summed, starts, axis=1), strict=True)
        limits = {feature: _limit(feature, baseline[feature], found) for feature, found in samples}
        chosen.append(Limits(size, **limits))
    return tuple(chosen)


def _draw(random: np.random.Generator, size: int, columns: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """float64 (DRAWN_TOGETHER, bins): the sums of samples of `size` rows of `columns`, float64 (n, bins)."""
    rows = len(columns)
    drawn = random.integers(0, rows, (DRAWN_TOGETHER, size)) + np.arange(DRAWN_TOGETHER)[:, None] * rows
    times = np.bincount(drawn.ravel(), minlength=DRAWN_TOGETHER * rows).reshape(DRAWN_TOGETHER, rows)
    return times.astype(np.float64) @ columns


def _limit(feature: str, baseline: tuple[int, ...], samples: npt.NDArray[np.float64]) -> Divergence:
    expected, found = shares(np.array(baseline)), shares(samples)
    floor = FLOORS[feature]
    # The Jensen-Shannon divergence of similar histograms, in bits, is about PSI / (8 ln 2): both floors are equivalent.
    # Rounding removes the differences between the logarithms of different processors.
    return Divergence(
        round(max(floor, MARGIN * float(stability_index(expected, found).max())), 4),
        round(max(floor / (8 * np.log(2)), min(1.0, MARGIN * float(jensen_shannon(expected, found).max()))), 4),
    )


def _sample_features(network: Network, examples: Examples) -> tuple[Integers, DriftFeatures]:
    """Pixel counts, int64 (n, bins), and drift features of the sampled training images, in order."""
    columns: list[tuple[npt.NDArray[Any], ...]] = []
    for images in examples.sampled_images("train", ROWS):
        pixels = pixel_counts_of_each(images)
        probabilities = network.probabilities(images)
        features = DriftFeatures.of(images, probabilities.argmax(axis=1), probabilities.max(axis=1))
        columns.append((pixels, features.intensity, features.classes, features.confidence))
    joined = [np.concatenate(parts) for parts in zip(*columns, strict=True)]
    return joined[0], DriftFeatures(*joined[1:])


def _rows(features: DriftFeatures, chosen: npt.NDArray[np.bool_]) -> DriftFeatures:
    return DriftFeatures(features.intensity[chosen], features.classes[chosen], features.confidence[chosen])


def _quantiles(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    # A value that occurs, not an interpolated one: integers stay integers.
    quantiles: npt.NDArray[Any] = np.quantile(values, QUANTILES, method="inverted_cdf")
    return quantiles


def _confidence_cuts(confidence: npt.NDArray[np.float32]) -> tuple[float, ...]:
    """Rising fractions below 1: few if the model is certain of nearly all images, none if it returns NaN."""
    cuts = np.unique(np.round(_quantiles(confidence.astype(np.float64)), CONFIDENCE_PLACES))
    return tuple(cuts[cuts < 1].tolist())
