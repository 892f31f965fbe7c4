"""Statistics with chosen counts."""

from __future__ import annotations

from pathlib import Path

from components.artifacts.duplicates import NO_DUPLICATES, Duplicates, Group, Place
from components.artifacts.examples import Examples
from components.artifacts.statistics import SplitStatistics, Statistics

NAMES = ("cat", "dog", "emu")
SHAPE = (2, 2, 1)
DECLARED = Examples(
    path=Path("nowhere"),
    dataset="by-hand",
    version="1.0.0",
    class_names=NAMES,
    image_shape=SHAPE,
    blocks={"train": (), "test": ()},
)


def split(*label_counts: int, **others) -> SplitStatistics:
    """Statistics with these rows of each class; half of the pixels are dark, half bright. Any field can be replaced."""
    rows = sum(label_counts)
    pixels = [0] * 256
    pixels[0] = pixels[200] = 2 * rows
    fields = {
        "rows": rows,
        "image_types": frozenset([f"uint8 {SHAPE}"]),
        "label_types": frozenset(["int64"]),
        "label_counts": {label: count for label, count in enumerate(label_counts) if count},
        "invalid": {},
        "pixel_counts": (tuple(pixels),),
    }
    return SplitStatistics(**{**fields, **others})


def statistics(duplicates: Duplicates = NO_DUPLICATES, **splits: SplitStatistics) -> Statistics:
    """Statistics of clean splits, unless others are given; a split that is None is left out."""
    whole = {"train": split(40, 40, 40), "test": split(10, 10, 10), **splits}
    kept = {name: counted for name, counted in whole.items() if counted is not None}
    return Statistics(path=Path("nowhere"), class_names=NAMES, splits=kept, duplicates=duplicates)


def group(*places: tuple[str, int, int], rows: int | None = None) -> Group:
    """A group of places, each as (split, row, label)."""
    found = tuple(sorted(Place(split == "test", row, label) for split, row, label in places))
    return Group(found, len(found) if rows is None else rows)
