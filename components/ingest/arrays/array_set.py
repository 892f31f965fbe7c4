"""NamedArray -> ArraySet: which arrays are the images, labels and class names of each split, by their names."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from components.ingest.arrays.array_location import ArrayLocation
from components.ingest.arrays.array_names import (
    CLASS_NAMES,
    IMAGES,
    LABELS,
    TRAIN,
    AmbiguousNameError,
    ArrayName,
    match_name,
    own_split,
)
from serving.batch.inputs.open_file import shown
from serving.errors import InputError

ADVICE = "save images and labels with numpy.savez as x and y, or as x_train, y_train, x_test and y_test"
# Largest number of arrays that a message lists.
MAX_LISTED = 10
# By the number of dimensions of an array of any name.
CONTENT_BY_DIMENSIONS = {4: IMAGES, 3: IMAGES, 1: LABELS}

log = logging.getLogger("beamline.source")


@dataclass(frozen=True)
class ArraySet:
    """Where the arrays of a data set are.

    Attributes:
        root: the folder of its files.
        files: their names.
        splits: the arrays of each split, `IMAGES` and `LABELS`.
        class_names: the array of class names; None if the set has none.
        left_out: the number of arrays that are neither images nor labels, by name.
    """

    root: Path
    files: tuple[str, ...]
    splits: dict[str, dict[str, ArrayLocation]]
    class_names: ArrayLocation | None
    left_out: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class NamedArray:
    """An array, and what its name says.

    Attributes:
        location: the array.
        name: what its name says; its content is also that of an IDX file's number of dimensions.
    """

    location: ArrayLocation
    name: ArrayName


def name_array(path: Path, location: ArrayLocation, *parts: str, dimensions: int | None = None) -> NamedArray:
    """What the name of an array says.

    Args:
        path: the path of the set, for messages.
        location: the array.
        parts: its name and that of its file, as `match_name` takes them.
        dimensions: its number of dimensions, which tells the content if the name does not.

    Raises:
        InputError: the name is ambiguous.
    """
    try:
        name = match_name(*parts)
    except AmbiguousNameError as error:
        raise InputError(
            f"{shown(path)} holds {shown(location.name)}, a name for {error}: rename it, e.g. to x_train for the "
            "images or y_train for the labels of train"
        ) from error
    if name.content is None and dimensions is not None:
        name = name._replace(content=CONTENT_BY_DIMENSIONS.get(dimensions))
    return NamedArray(location, name)


def build_set(path: Path, root: Path, arrays: Sequence[NamedArray]) -> ArraySet:
    """Finds the images and labels of each split, and the class names.

    Args:
        path: the path of the set, for messages.
        root: the folder of its files.
        arrays: every array of the set, in order.

    Raises:
        InputError: no images and labels, images without labels, labels without images, two arrays for the same part, or
            files of several sets.
    """
    splits, class_names = _pair_by_names(path, arrays)
    if not splits:
        splits = _only_pair(arrays)
    if not splits:
        names = ", ".join(shown(array.location.name) for array in arrays[:MAX_LISTED]) or "no arrays"
        raise InputError(f"{shown(path)} holds {names}: {ADVICE}")
    _require_pairs(path, splits, arrays)
    used = {location for split in splits.values() for location in split.values()} | {class_names}
    left_out = {f"array {shown(one.location.name)}": 1 for one in arrays if one.location not in used}
    files = tuple(dict.fromkeys(one.location.file.name for one in arrays if one.location in used))
    return ArraySet(root, files, splits, class_names, left_out)


def _pair_by_names(
    path: Path, arrays: Sequence[NamedArray]
) -> tuple[dict[str, dict[str, ArrayLocation]], ArrayLocation | None]:
    splits: dict[str, dict[str, ArrayLocation]] = {}
    named = [one for one in arrays if one.name.content in (IMAGES, LABELS)]
    shared = _shared_rest(path, named)
    optional = set()
    for location, name in ((one.location, one.name) for one in named):
        if name.rest in ("", shared):
            split = name.split or TRAIN
        else:
            split = own_split(name)
            if not name.short:
                optional.add(split)
        _add(path, splits.setdefault(split, {}), str(name.content), location, f"the {name.content} of {split}")
    # `image_ids` and `label_map` are arrays beside the images; `x_more` and `train_images` are images that need labels.
    for split in optional:
        if len(splits[split]) == 1:
            del splits[split]
    names: dict[str, ArrayLocation] = {}
    for one in arrays:
        if one.name.content == CLASS_NAMES:
            _add(path, names, CLASS_NAMES, one.location, "the class names")
    return splits, names.get(CLASS_NAMES)


def _shared_rest(path: Path, named: Sequence[NamedArray]) -> str | None:
    """The words that are the name of the set, because all arrays have them. Raises: InputError: files of two sets."""
    contents: dict[str, set[str | None]] = {}
    for one in named:
        if one.name.split is not None:
            contents.setdefault(one.name.rest, set()).add(one.name.content)
    sets = [rest for rest, found in contents.items() if len(found) == 2]
    first = {one.name.rest: one.location.file for one in reversed(named) if one.name.rest in sets}
    if len(set(first.values())) > 1:
        examples = ", ".join(sorted(shown(file.name) for file in first.values()))
        raise InputError(f"{shown(path)} holds files of {len(sets)} sets ({examples}): give a folder with one of them")
    rests = {one.name.rest for one in named}
    return sets[0] if len(sets) == 1 else next(iter(rests)) if len(rests) == 1 else None


def _add(path: Path, found: dict[str, ArrayLocation], key: str, location: ArrayLocation, part: str) -> None:
    other = found.setdefault(key, location)
    if other is not location:
        raise InputError(
            f"{shown(path)} holds both {shown(other.name)} and {shown(location.name)} as {part}: keep one of them"
        )


def _only_pair(arrays: Sequence[NamedArray]) -> dict[str, dict[str, ArrayLocation]]:
    """The only array with the dimensions of images and the only one with those of labels; empty if there are others."""
    by_content: dict[str | None, list[ArrayLocation]] = {}
    for one in arrays:
        by_content.setdefault(CONTENT_BY_DIMENSIONS.get(len(one.location.shape())), []).append(one.location)
    images, labels = by_content.get(IMAGES, []), by_content.get(LABELS, [])
    if len(images) != 1 or len(labels) != 1:
        return {}
    log.info("%s are the images and %s the labels, by their shapes", shown(images[0].name), shown(labels[0].name))
    return {TRAIN: {IMAGES: images[0], LABELS: labels[0]}}


def _require_pairs(path: Path, splits: Mapping[str, Mapping[str, ArrayLocation]], arrays: Sequence[NamedArray]) -> None:
    for split, present in splits.items():
        if len(present) == 1:
            ((content, array),) = present.items()
            missing = LABELS if content == IMAGES else IMAGES
            others = ", ".join(_others(splits, arrays))
            rest = f", but {others}: add them, or rename the right one" if others else ": add them"
            raise InputError(
                f"{shown(path)} holds {shown(array.name)}, the {content} of {shown(split)}, without {missing}{rest}"
            )


def _others(splits: Mapping[str, Mapping[str, ArrayLocation]], arrays: Sequence[NamedArray]) -> list[str]:
    known = [location for present in splits.values() for location in present.values()]
    return [shown(one.location.name) for one in arrays if one.location not in known][:MAX_LISTED]
