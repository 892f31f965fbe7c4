"""Statistics: exact counts over every pixel and label of each split."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from components.artifacts.artifact import Artifact
from components.artifacts.duplicates import Duplicates
from components.artifacts.npy_writer import write_array
from serving.codec import read, to_json
from serving.files import write_json

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
        pixel_counts: int64 (channels, 256), pixels by channel and value; zeros if images are not uint8.
        class_sums: int64 (classes, h, w, c), the sum of the images of each class; zeros if images are not uint8 or
            labels are not integers.
    """

    rows: int
    image_types: frozenset[str]
    label_types: frozenset[str]
    label_counts: dict[int, int]
    invalid: dict[str, InvalidRows]
    pixel_counts: npt.NDArray[np.int64]
    class_sums: npt.NDArray[np.int64]

    def mean(self) -> npt.NDArray[np.float64]:
        """float64 (channels,): mean pixel, 0 to 255; 0 without pixels."""
        counts = self.pixel_counts
        mean: npt.NDArray[np.float64] = (counts @ np.arange(256)) / np.maximum(counts.sum(axis=1), 1)
        return mean

    def deviation(self) -> npt.NDArray[np.float64]:
        """float64 (channels,): standard deviation of all pixels, 0 to 127.5."""
        # In integers, because E[x²] - E[x]² in floats suffers from cancellation.
        deviations = []
        for counts in self.pixel_counts.tolist():
            n = sum(counts)
            total = sum(value * count for value, count in enumerate(counts))
            squares = sum(value * value * count for value, count in enumerate(counts))
            deviations.append(math.sqrt(n * squares - total * total) / n if n else 0.0)
        return np.array(deviations)

    def minimum(self) -> int:
        """The darkest pixel, 0 to 255; 0 without pixels."""
        return min(np.flatnonzero(self.pixel_counts.sum(axis=0)).tolist(), default=0)

    def maximum(self) -> int:
        """The brightest pixel, 0 to 255; 0 without pixels."""
        return max(np.flatnonzero(self.pixel_counts.sum(axis=0)).tolist(), default=0)

    def class_means(self) -> npt.NDArray[np.float64]:
        """float64 (classes, h, w, c): the mean image of each class, 0 to 255; zeros if a class has no images."""
        counts = np.array([self.label_counts.get(label, 0) for label in range(len(self.class_sums))])
        means: npt.NDArray[np.float64] = self.class_sums / np.maximum(counts, 1)[:, None, None, None]
        return means


@dataclass(frozen=True, kw_only=True)
class Statistics(Artifact):
    """Attributes:
    class_names: by integer label, from the data set.
    splits: the statistics of each split, by name.
    duplicates: images that occur in the data more than once.
    """

    FILE = "statistics.json"

    class_names: tuple[str, ...]
    splits: dict[str, SplitStatistics]
    duplicates: Duplicates

    def save(self) -> Self:
        """Writes statistics.json and, for each split, the sums of its class images as .npy."""
        splits = {name: _split_values(split) for name, split in self.splits.items()}
        content = {"class_names": self.class_names, "splits": splits, "duplicates": to_json(self.duplicates)}
        write_json(self.path / self.FILE, content)
        for name, split in self.splits.items():
            write_array(_class_sums_file(self.path, name), split.class_sums)
        return self

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads statistics.json and the sums of the class images."""
        saved = read(_Saved, path / cls.FILE)
        splits = {
            name: SplitStatistics(
                **{**vars(split), "pixel_counts": np.array(split.pixel_counts, np.int64)},
                class_sums=np.load(_class_sums_file(path, name), allow_pickle=False),
            )
            for name, split in saved.splits.items()
        }
        return cls(path=path, class_names=saved.class_names, splits=splits, duplicates=saved.duplicates)

    def summary(self) -> str:
        """Mean and deviation of the training pixels, 0 to 1, and the number of different labels."""
        train = self.splits["train"]
        mean, deviation = (
            " ".join(f"{value / 255:.4f}" for value in part) for part in (train.mean(), train.deviation())
        )
        return f"training pixels mean {mean}, deviation {deviation} (0 to 1); {len(train.label_counts)} labels"


@dataclass(frozen=True)
class _SavedSplit:
    """A split in statistics.json; the fields that are computed from these are only for people."""

    IGNORES_UNKNOWN = True

    rows: int
    image_types: frozenset[str]
    label_types: frozenset[str]
    label_counts: dict[int, int]
    invalid: dict[str, InvalidRows] = field(metadata={"key": "odd"})
    pixel_counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class _Saved:
    """The content of statistics.json."""

    class_names: tuple[str, ...]
    splits: dict[str, _SavedSplit]
    duplicates: Duplicates


def _split_values(split: SplitStatistics) -> dict[str, Any]:
    saved = {name: getattr(split, name) for name in _SavedSplit.__dataclass_fields__}
    return {
        **to_json(_SavedSplit(**{**saved, "pixel_counts": split.pixel_counts.tolist()})),
        "minimum": split.minimum(),
        "maximum": split.maximum(),
        "mean": split.mean().tolist(),
        "deviation": split.deviation().tolist(),
    }


def _class_sums_file(folder: Path, split: str) -> Path:
    """The file of a split's class sums, int64 (classes, h, w, c)."""
    return folder / f"{split}.class_sums.npy"
