"""Statistics: exact counts over every pixel and label of each split."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from operator import add, mul
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from components.artifacts.artifact import Artifact
from components.artifacts.duplicates import Duplicates
from components.artifacts.npy_writer import write_array

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

# Largest number of rows of each kind that are named, which bounds the size of the statistics; all are counted.
NAMED_ROWS = 1000


@dataclass(frozen=True)
class InvalidRows:
    """Rows of one kind.

    Attributes:
        rows: their number.
        named: (row, value) of the first ones, rising by row; the kind defines the value.
    """

    rows: int
    named: tuple[tuple[int, float], ...]

    @classmethod
    def of(cls, found: Iterable[tuple[int, float]]) -> Self:
        """From the (row, value) of all rows of a kind, in any order."""
        ordered = sorted(found)
        return cls(len(ordered), tuple(ordered[:NAMED_ROWS]))

    def __add__(self, other: InvalidRows) -> InvalidRows:
        """The rows of two parts of a split."""
        return InvalidRows(self.rows + other.rows, tuple(sorted(self.named + other.named)[:NAMED_ROWS]))


NO_ROWS = InvalidRows(0, ())


def add_invalid_rows(one: Mapping[str, InvalidRows], other: Mapping[str, InvalidRows]) -> dict[str, InvalidRows]:
    """The rows of every kind of two parts of a split."""
    return {kind: one.get(kind, NO_ROWS) + other.get(kind, NO_ROWS) for kind in one.keys() | other.keys()}


@dataclass(frozen=True)
class SplitStatistics:
    """Counts of one split or of a part of it. All are integers, so their sum does not depend on the order.

    Attributes:
        rows: number of images.
        image_types: the types and shapes of the images, e.g. `uint8 (28, 28, 1)`.
        label_types: the types of the labels, e.g. `int64`.
        label_counts: rows by label, with labels that are not a class.
        invalid: the invalid rows by kind; `components/analyze/invalid_images.py` lists the kinds.
        pixel_counts: for each channel the pixels of each value, 0 to 255; zeros if images are not uint8.
    """

    # In the file there are also values that are computed from these, for people.
    IGNORES_UNKNOWN: ClassVar[bool] = True

    rows: int
    image_types: frozenset[str]
    label_types: frozenset[str]
    label_counts: dict[int, int]
    invalid: dict[str, InvalidRows] = field(metadata={"key": "odd"})
    pixel_counts: tuple[tuple[int, ...], ...]

    def __add__(self, other: SplitStatistics) -> SplitStatistics:
        """The counts of two parts of a split; every grouping and order of additions gives the same result."""
        labels = self.label_counts.keys() | other.label_counts.keys()
        channels = zip(self.pixel_counts, other.pixel_counts, strict=True)
        return SplitStatistics(
            rows=self.rows + other.rows,
            image_types=self.image_types | other.image_types,
            label_types=self.label_types | other.label_types,
            label_counts={
                label: self.label_counts.get(label, 0) + other.label_counts.get(label, 0) for label in labels
            },
            invalid=add_invalid_rows(self.invalid, other.invalid),
            pixel_counts=tuple(tuple(map(add, here, there)) for here, there in channels),
        )

    def mean(self) -> tuple[float, ...]:
        """The mean pixel of each channel, 0 to 255; 0 without pixels."""
        return tuple(sum(map(mul, counts, range(256))) / max(sum(counts), 1) for counts in self.pixel_counts)

    def deviation(self) -> tuple[float, ...]:
        """The standard deviation of all pixels of each channel, 0 to 127.5."""
        # In integers, because E[x²] - E[x]² in floats suffers from cancellation.
        deviations = []
        for counts in self.pixel_counts:
            n = sum(counts)
            total = sum(value * count for value, count in enumerate(counts))
            squares = sum(value * value * count for value, count in enumerate(counts))
            deviations.append(math.sqrt(n * squares - total * total) / n if n else 0.0)
        return tuple(deviations)

    def minimum(self) -> int:
        """The darkest pixel, 0 to 255; 0 without pixels."""
        return min(self._seen(), default=0)

    def maximum(self) -> int:
        """The brightest pixel, 0 to 255; 0 without pixels."""
        return max(self._seen(), default=0)

    def _seen(self) -> list[int]:
        """The values of pixels that occur."""
        return [value for counts in self.pixel_counts for value, count in enumerate(counts) if count]


@dataclass(frozen=True, kw_only=True)
class Statistics(Artifact):
    """Attributes:
    class_names: by integer label, from the data set.
    splits: the statistics of each split, by name.
    duplicates: images that occur in the data more than once.
    """

    FILE = "statistics.json"
    UNSAVED = ("passed", "reasons")

    class_names: tuple[str, ...]
    splits: dict[str, SplitStatistics]
    duplicates: Duplicates

    def _values(self) -> dict[str, Any]:
        computed = {
            name: {
                "minimum": split.minimum(),
                "maximum": split.maximum(),
                "mean": split.mean(),
                "deviation": split.deviation(),
            }
            for name, split in self.splits.items()
        }
        values = super()._values()
        return {**values, "splits": {name: split | computed[name] for name, split in values["splits"].items()}}

    def write_class_sums(self, split: str, sums: npt.NDArray[np.int64]) -> Self:
        """Writes the sum of the images of each class of a split, int64 (classes, h, w, c)."""
        write_array(self._class_sums_file(split), sums)
        return self

    def class_means(self, split: str) -> npt.NDArray[np.float64]:
        """float64 (classes, h, w, c): the mean image of each class, 0 to 255; zeros if a class has no images.

        All are zeros too if images are not uint8, or labels are not integers.
        """
        import numpy as np

        sums = np.load(self._class_sums_file(split), allow_pickle=False)
        counts = np.array([self.splits[split].label_counts.get(label, 0) for label in range(len(sums))])
        means: npt.NDArray[np.float64] = sums / np.maximum(counts, 1)[:, None, None, None]
        return means

    def _class_sums_file(self, split: str) -> Path:
        return self.path / f"{split}.class_sums.npy"

    def summary(self) -> str:
        """Mean and deviation of the training pixels, 0 to 1, and the number of different labels."""
        train = self.splits["train"]
        mean, deviation = (
            " ".join(f"{value / 255:.4f}" for value in part) for part in (train.mean(), train.deviation())
        )
        return f"training pixels mean {mean}, deviation {deviation} (0 to 1); {len(train.label_counts)} labels"
