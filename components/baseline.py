"""Examples + ONNX bytes -> drift.json: what training images are like, and how far others may be from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from components.artifacts.examples import Examples
from serving.divergence import Divergence, jensen_shannon, shares, stability_index
from serving.drift import BASELINE, Baseline, Limits, counted
from serving.files import write_json
from serving.network import Network
from serving.traits import MEANINGS, Bins, Integers, Traits, pixel_counts, spread

# Of the training split, at most: the baseline's own noise is then a fifth of that of the largest sample with limits.
ROWS = 10_000
# One in so many is held out, for the limits.
HELD_OUT = 5
# Cuts at the deciles: each bin holds as many training images as any other.
QUANTILES = np.arange(1, 10) / 10
# Nine in ten of whose bits are noise beyond: other processors, and int8, would put an image into another bin.
CONFIDENCE_PLACES = 4
# Rows of a sample for which limits are chosen; more have those of the last.
LADDER = (50, 100, 200, 400, 800, 1600)
# Samples of each size, of which the worst counts, and how many times as far others may be.
SAMPLES = 500
MARGIN = 2.0
# PSI under which no limit is, however many the rows: below 0.1 is no shift, above 0.25 a large one (Siddiqi 2006). A
# model is surer of what it was trained on, the held-out rows too, than of the same kind of images: that alone comes to
# more than 0.1 where the images were few.
FLOORS = {"pixels": 0.1, "intensity": 0.1, "classes": 0.1, "confidence": 0.25}


def write_baseline(network: Network, examples: Examples, out: Path) -> Baseline:
    """Looks at training images, evenly apart, and writes what they and the model's answers to them are like.

    Args:
        network: the float model.
        examples: of which the training split alone is read, a block at a time.
        out: the bundle's folder.
    """
    pixels, traits = _look_at(network, examples)
    held_out = np.zeros(len(pixels), bool)
    held_out[spread(len(pixels), len(pixels) // HELD_OUT)] = True
    kept = _rows(traits, ~held_out)
    bins = Bins(
        classes=len(examples.class_names),
        intensity=tuple(np.unique(_quantiles(kept.intensity)).tolist()),
        confidence=_confidence_cuts(kept.confidence),
    )
    counts = counted(pixels[~held_out], bins.sort(kept))
    others = {"pixels": pixels[held_out], **bins.sort(_rows(traits, held_out))}
    baseline = Baseline(bins, counts, choose_limits(counts.bins, others))
    write_json(out / BASELINE, baseline.to_json())
    return baseline


def choose_limits(baseline: dict[str, tuple[int, ...]], held_out: dict[str, Integers]) -> tuple[Limits, ...]:
    """How far samples of the held-out rows are from the baseline, by their size, with a margin.

    The samples are drawn with replacement (Efron 1979, the bootstrap): so they may be larger than what was held out.

    Args:
        baseline: the counts of the rows that were not held out, by trait.
        held_out: int64 (n, bins) by trait, one row an image; without any, there are no limits.
    """
    rows = len(held_out["classes"])
    if not rows:
        return ()
    # Integers alone are drawn and added up, and floats hold them all: no processor rounds them otherwise.
    random = np.random.default_rng(0)
    columns = np.concatenate([held_out[trait] for trait in MEANINGS], axis=1).astype(np.float64)
    starts = np.cumsum([held_out[trait].shape[1] for trait in MEANINGS])[:-1]
    ladder = []
    for size in LADDER:
        drawn = random.integers(0, rows, (SAMPLES, size)) + np.arange(SAMPLES)[:, None] * rows
        times = np.bincount(drawn.ravel(), minlength=SAMPLES * rows).reshape(SAMPLES, rows)
        samples = zip(MEANINGS, np.split(times.astype(np.float64) @ columns, starts, axis=1), strict=True)
        ladder.append(Limits(size, {trait: _limit(trait, baseline[trait], found) for trait, found in samples}))
    return tuple(ladder)


def _limit(trait: str, baseline: tuple[int, ...], samples: npt.NDArray[np.float64]) -> Divergence:
    expected, found = shares(np.array(baseline)), shares(samples)
    floor = FLOORS[trait]
    # Of two histograms that are nearly alike, the Jensen-Shannon divergence in bits is their PSI / (8 ln 2): so the two
    # floors say the same. Rounded to places that no processor's logarithm reaches.
    return Divergence(
        round(max(floor, MARGIN * float(stability_index(expected, found).max())), 4),
        round(max(floor / (8 * np.log(2)), min(1.0, MARGIN * float(jensen_shannon(expected, found).max()))), 4),
    )


def _look_at(network: Network, examples: Examples) -> tuple[Integers, Traits]:
    """Pixels, int64 (n, bins), and traits of the sampled training images, in order."""
    columns: list[tuple[npt.NDArray[Any], ...]] = []
    for images in examples.sampled_images("train", ROWS):
        pixels = np.stack([pixel_counts(image[None]) for image in images])
        probabilities = network.probabilities(images)
        traits = Traits.of(images, probabilities.argmax(axis=1), probabilities.max(axis=1))
        columns.append((pixels, traits.intensity, traits.classes, traits.confidence))
    joined = [np.concatenate(parts) for parts in zip(*columns, strict=True)]
    return joined[0], Traits(*joined[1:])


def _rows(traits: Traits, chosen: npt.NDArray[np.bool_]) -> Traits:
    return Traits(traits.intensity[chosen], traits.classes[chosen], traits.confidence[chosen])


def _quantiles(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    # A value that occurs, not one between two: of integers, an integer.
    quantiles: npt.NDArray[Any] = np.quantile(values, QUANTILES, method="inverted_cdf")
    return quantiles


def _confidence_cuts(confidence: npt.NDArray[np.float32]) -> tuple[float, ...]:
    """Rising fractions below 1: a model that is sure of nearly all has few, and one of no numbers none."""
    cuts = np.unique(np.round(_quantiles(confidence.astype(np.float64)), CONFIDENCE_PLACES))
    return tuple(cuts[cuts < 1].tolist())
