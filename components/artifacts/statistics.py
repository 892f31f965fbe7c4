"""Statistics: exact counts over every pixel and label of each split."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from components.artifacts.artifact import Artifact
from components.artifacts.duplicates import Duplicates
from components.artifacts.odd import Odd
from serving.files import write_json


@dataclass(frozen=True)
class SplitStatistics:
    """Counts of one split or of a part of it. All are integers, so that their order of addition is of no matter.

    Attributes:
        rows: number of images.
        image_types: the types and shapes of images that were seen, e.g. `uint8 (28, 28, 1)`.
        label_types: the types of labels that were seen, e.g. `int64`.
        label_counts: rows by label, whatever its value.
        odd: rows by what is odd about them; see `components.analyze`.
        pixel_counts: int64 (channels, 256), pixels by channel and value; zeros where images are not uint8.
        class_sums: int64 (classes, h, w, c), the sum of the images of each class; zeros where images are not uint8, or
            labels no integers.
    """

    rows: int
    image_types: frozenset[str]
    label_types: frozenset[str]
    label_counts: dict[int, int]
    odd: dict[str, Odd]
    pixel_counts: npt.NDArray[np.int64]
    class_sums: npt.NDArray[np.int64]

    def mean(self) -> npt.NDArray[np.float64]:
        """float64 (channels,): mean pixel, 0 to 255; 0 where there is no pixel."""
        counts = self.pixel_counts
        mean: npt.NDArray[np.float64] = (counts @ np.arange(256)) / np.maximum(counts.sum(axis=1), 1)
        return mean

    def deviation(self) -> npt.NDArray[np.float64]:
        """float64 (channels,): standard deviation of the pixels over all of them, 0 to 127.5."""
        # From integers, so without the cancellation that E[x²] - E[x]² suffers from in floats.
        deviations = []
        for counts in self.pixel_counts.tolist():
            n = sum(counts)
            total = sum(value * count for value, count in enumerate(counts))
            squares = sum(value * value * count for value, count in enumerate(counts))
            deviations.append(math.sqrt(n * squares - total * total) / n if n else 0.0)
        return np.array(deviations)

    def minimum(self) -> int:
        """The darkest pixel, 0 to 255; 0 where there is no pixel."""
        return min(np.flatnonzero(self.pixel_counts.sum(axis=0)).tolist(), default=0)

    def maximum(self) -> int:
        """The brightest pixel, 0 to 255; 0 where there is no pixel."""
        return max(np.flatnonzero(self.pixel_counts.sum(axis=0)).tolist(), default=0)

    def class_means(self) -> npt.NDArray[np.float64]:
        """float64 (classes, h, w, c): the mean image of each class, 0 to 255; zeros where a class has no image."""
        counts = np.array([self.label_counts.get(label, 0) for label in range(len(self.class_sums))])
        means: npt.NDArray[np.float64] = self.class_sums / np.maximum(counts, 1)[:, None, None, None]
        return means


@dataclass(frozen=True, kw_only=True)
class Statistics(Artifact):
    """Attributes:
    class_names: by integer label, as the data set declares them.
    splits: the statistics of each split, by name.
    duplicates: images that stand in the data more than once.
    """

    class_names: tuple[str, ...]
    splits: dict[str, SplitStatistics]
    duplicates: Duplicates

    def save(self) -> Self:
        """Writes statistics.json and, per split, the sums of the class images as .npy."""
        splits = {name: _to_json(split) for name, split in self.splits.items()}
        write_json(
            self.path / "statistics.json",
            {"class_names": self.class_names, "splits": splits, "duplicates": asdict(self.duplicates)},
        )
        for name, split in self.splits.items():
            np.save(self.path / f"{name}.class_sums.npy", split.class_sums)
        return self

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads what `save` wrote."""
        said = json.loads((path / "statistics.json").read_text(encoding="utf-8"))
        return cls(
            path=path,
            class_names=tuple(said["class_names"]),
            splits={
                name: SplitStatistics(
                    rows=split["rows"],
                    image_types=frozenset(split["image_types"]),
                    label_types=frozenset(split["label_types"]),
                    label_counts={int(label): count for label, count in split["label_counts"].items()},
                    odd={kind: Odd.from_json(rows) for kind, rows in split["odd"].items()},
                    pixel_counts=np.array(split["pixel_counts"], np.int64),
                    class_sums=np.load(path / f"{name}.class_sums.npy", allow_pickle=False),
                )
                for name, split in said["splits"].items()
            },
            duplicates=Duplicates.from_json(said["duplicates"]),
        )

    def summary(self) -> str:
        """Mean and deviation of the training pixels on the unit scale, and the labels seen."""
        train = self.splits["train"]
        mean, deviation = (
            " ".join(f"{value / 255:.4f}" for value in part) for part in (train.mean(), train.deviation())
        )
        return f"training pixels mean {mean}, deviation {deviation} (0 to 1); {len(train.label_counts)} labels"


def _to_json(split: SplitStatistics) -> dict[str, Any]:
    return {
        "rows": split.rows,
        "image_types": sorted(split.image_types),
        "label_types": sorted(split.label_types),
        "label_counts": {str(label): count for label, count in sorted(split.label_counts.items())},
        "odd": {kind: asdict(rows) for kind, rows in sorted(split.odd.items())},
        "pixel_counts": split.pixel_counts.tolist(),
        "minimum": split.minimum(),
        "maximum": split.maximum(),
        "mean": split.mean().tolist(),
        "deviation": split.deviation().tolist(),
    }
