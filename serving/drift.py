"""Scored images -> Drift: without labels, how far are pixels and predictions from those of the training images?"""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from serving.bundle import Bundle
from serving.divergence import Divergence, jensen_shannon, shares, stability_index
from serving.errors import BundleError
from serving.inputs.blocks import Images
from serving.traits import BLOCK_SAMPLE, MEANINGS, Bins, Integers, Traits, pixel_counts, spread

# The bundle's file of what its training images were like, and of how far others may be from them.
BASELINE = "drift.json"


@dataclass(frozen=True)
class Counts:
    """How many of some sampled images are in each bin. All are integers: they add up in any order and grouping.

    Attributes:
        rows: the number of images.
        bins: of each trait, by name, its bins in order; pixels are counted one by one, the rest once an image.
    """

    rows: int
    bins: dict[str, tuple[int, ...]]

    def __add__(self, other: Counts) -> Counts:
        added = {
            trait: tuple(map(sum, zip(counts, other.bins[trait], strict=True))) for trait, counts in self.bins.items()
        }
        return Counts(self.rows + other.rows, added)

    def to_json(self) -> dict[str, Any]:
        """Plain lists and integers, as short as they can be: one line a block in a journal."""
        return {"rows": self.rows, **{trait: list(counts) for trait, counts in self.bins.items()}}

    @classmethod
    def from_json(cls, said: dict[str, Any]) -> Self:
        """What `to_json` said. Raises: KeyError, TypeError or ValueError where it is something else."""
        return cls(int(said["rows"]), {trait: tuple(map(int, said[trait])) for trait in MEANINGS})


class Limits(NamedTuple):
    """How far the bins of a sample may be from those of the baseline, by trait.

    Attributes:
        rows: images that the sample must have for these limits.
    """

    rows: int
    traits: dict[str, Divergence]


class Figure(NamedTuple):
    """How far one trait is from the baseline, and how far it may be."""

    found: Divergence
    limit: Divergence

    @property
    def ratio(self) -> float:
        """Of what is found to its limit, the larger of the two measures: above 1 is drift."""
        return max(self.found.psi / self.limit.psi, self.found.js / self.limit.js)

    def described(self) -> dict[str, float]:
        """For JSON; the divergences to six places."""
        found, limit = self.found, self.limit
        return {
            "psi": round(found.psi, 6),
            "psi_limit": limit.psi,
            "jensen_shannon": round(found.js, 6),
            "jensen_shannon_limit": limit.js,
        }


class Drift(NamedTuple):
    """What the comparison with the baseline says.

    Attributes:
        rows: images that were looked at.
        figures: by trait; empty where there are too few images to tell.
        needed: images without which nothing can be told; None where no number of them would do.
    """

    rows: int
    figures: dict[str, Figure]
    needed: int | None

    @property
    def drifted(self) -> bool:
        """Whether a trait is further from the baseline than it may be."""
        return any(figure.ratio > 1 for figure in self.figures.values())

    @property
    def verdict(self) -> str:
        """One of `none`, `drift` and `too few images to tell`."""
        if not self.figures:
            return "too few images to tell"
        return "drift" if self.drifted else "none"

    @property
    def sentence(self) -> str:
        """One line for the screen: the verdict, and the figure that is furthest over its limit, or nearest to it."""
        return f"drift: {self._finding()}"

    def described(self) -> dict[str, Any]:
        """For the sidecar of the scores, as JSON."""
        return {
            "verdict": self.verdict,
            "rows": self.rows,
            "figures": {trait: figure.described() for trait, figure in self.figures.items()},
        }

    def _finding(self) -> str:
        if not self.figures:
            needed = "the training images are too few" if self.needed is None else f"{self.needed:,} needed"
            return f"{self.verdict} ({self.rows:,} sampled, {needed})"
        trait = max(self.figures, key=lambda name: self.figures[name].ratio)
        figure = self.figures[trait]
        # Both measures say the same of most samples: the one that is nearer to its limit is shown.
        found, limit, measure = figure.found.psi, figure.limit.psi, "PSI"
        if figure.found.js / figure.limit.js > found / limit:
            found, limit, measure = figure.found.js, figure.limit.js, "Jensen-Shannon"
        numbers = f"{measure} {found:.3f}, limit {limit:.3f}"
        if not self.drifted:
            return f"none in {self.rows:,} sampled images (nearest to its limit: {MEANINGS[trait]}, {numbers})"
        others = [name for name, other in self.figures.items() if other.ratio > 1 and name != trait]
        also = f"; also {', '.join(others)}" if others else ""
        return f"{MEANINGS[trait]} is not that of the training images in {self.rows:,} sampled ones ({numbers}{also})"


@dataclass(frozen=True)
class Baseline:
    """What the training images, and a model's answers to them, are like.

    Attributes:
        bins: where the values are cut.
        counts: of most of the sampled training images.
        limits: chosen on the others, for samples of more and more rows; none where they were too few.
    """

    bins: Bins
    counts: Counts
    limits: tuple[Limits, ...]

    @classmethod
    def load(cls, bundle: Bundle) -> Self | None:
        """The baseline that a bundle carries; None where it carries none, as those of older releases.

        Raises:
            BundleError: the file is no baseline.
        """
        if BASELINE not in bundle.files:
            return None
        try:
            return cls.from_json(json.loads(bundle.read(BASELINE)))
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise BundleError(
                f"bundle {bundle.path} refused: {BASELINE} is damaged ({error!r}): promote the model again"
            ) from error

    def empty(self) -> Counts:
        """The counts of no image: where adding up starts."""
        return Counts(0, {trait: (0,) * len(counts) for trait, counts in self.counts.bins.items()})

    def count(self, images: Images, labels: Integers, confidences: npt.NDArray[np.float32]) -> Counts:
        """Counts images; of a block, those of `sampled_rows`.

        Args:
            images: uint8 (m, h, w, c), 0 to 255.
            labels: int64 (m,), the classes that the model gives them.
            confidences: float32 (m,), the probabilities of these classes.
        """
        traits = Traits.of(images, labels, confidences)
        return counted(pixel_counts(images)[None], self.bins.sort(traits))

    def compare(self, counts: Counts) -> Drift:
        """Holds counts of scored images against the baseline, by the limits for as many rows, or the next fewer."""
        needed = self.limits[0].rows if self.limits else None
        reached = tuple(takewhile(lambda limits: limits.rows <= counts.rows, self.limits))
        if not reached:
            return Drift(counts.rows, {}, needed)
        figures = {
            trait: Figure(_divergence(self.counts.bins[trait], counts.bins[trait]), limit)
            for trait, limit in reached[-1].traits.items()
        }
        return Drift(counts.rows, figures, needed)

    def to_json(self) -> dict[str, Any]:
        """As the bundle's file has it."""
        return {
            "intensity_cuts": list(self.bins.intensity),
            "confidence_cuts": list(self.bins.confidence),
            "counts": self.counts.to_json(),
            "limits": [
                {"rows": limits.rows, **{trait: [limit.psi, limit.js] for trait, limit in limits.traits.items()}}
                for limits in self.limits
            ],
        }

    @classmethod
    def from_json(cls, said: dict[str, Any]) -> Self:
        """What `to_json` said. Raises: KeyError, TypeError or ValueError where it is something else."""
        counts = Counts.from_json(said["counts"])
        limits = tuple(
            Limits(int(step["rows"]), {trait: Divergence(*map(float, step[trait])) for trait in MEANINGS})
            for step in said["limits"]
        )
        cuts = (tuple(map(int, said["intensity_cuts"])), tuple(map(float, said["confidence_cuts"])))
        for trait, between in zip(("intensity", "confidence"), cuts, strict=True):
            if len(counts.bins[trait]) != len(between) + 1:
                raise ValueError(f"{len(counts.bins[trait])} bins of {trait} with {len(between)} cuts between them")
        return cls(Bins(len(counts.bins["classes"]), *cuts), counts, limits)


def sampled_rows(rows: int) -> Integers:
    """int64 (m,), rising: the rows of a block of so many images that are looked at, the same ones every time."""
    return spread(rows, BLOCK_SAMPLE)


def counted(pixels: Integers, sorted_rows: dict[str, Integers]) -> Counts:
    """Adds up.

    Args:
        pixels: int64 (m, bins), of all images together, or of parts of them.
        sorted_rows: int64 (n, bins) by trait, one row an image, from `Bins.sort`.
    """
    columns = {"pixels": pixels, **sorted_rows}
    rows = len(sorted_rows["classes"])
    return Counts(rows, {trait: tuple(bins.sum(axis=0).tolist()) for trait, bins in columns.items()})


def _divergence(expected: tuple[int, ...], found: tuple[int, ...]) -> Divergence:
    fractions = shares(np.array(expected)), shares(np.array(found))
    return Divergence(float(stability_index(*fractions)), float(jensen_shannon(*fractions)))
