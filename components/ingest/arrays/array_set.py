"""ArraySet: where the images, labels and class names of a set of arrays are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from components.ingest.arrays.array_location import ArrayLocation
from serving.batch.inputs.open_file import shown
from serving.errors import InputError

IMAGES, LABELS = "images", "labels"


@dataclass(frozen=True)
class ArraySet:
    """Where the arrays of a data set are.

    Attributes:
        root: the folder of its files.
        files: their names.
        splits: the arrays of each split, `IMAGES` and `LABELS`.
        class_names: the array of class names; None if the set has none.
    """

    root: Path
    files: tuple[str, ...]
    splits: dict[str, dict[str, ArrayLocation]]
    class_names: ArrayLocation | None


def pair_arrays(path: Path, arrays: Iterable[tuple[str, str, ArrayLocation]]) -> dict[str, dict[str, ArrayLocation]]:
    """Pairs the images and labels of each split.

    Args:
        path: the path of the set, for messages.
        arrays: the split, `IMAGES` or `LABELS`, and the location of every array of the set.

    Raises:
        InputError: images without labels, labels without images, or two arrays for the same part.
    """
    splits: dict[str, dict[str, ArrayLocation]] = {}
    for split, content, array in arrays:
        other = splits.setdefault(split, {}).setdefault(content, array)
        if other is not array:
            raise InputError(
                f"{shown(path)} holds both {shown(other.name)} and {shown(array.name)} as the {content} of "
                f"{shown(split)}: keep one of them"
            )
    for split, present in splits.items():
        if len(present) == 1:
            ((content, array),) = present.items()
            missing = LABELS if content == IMAGES else IMAGES
            raise InputError(
                f"{shown(path)} holds {shown(array.name)}, the {content} of {shown(split)}, without {missing}: add them"
            )
    return splits
