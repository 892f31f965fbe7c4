"""The arrays of each split -> the plan to read them in blocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from components.ingest.arrays.array_location import UnpackedArray
from components.ingest.arrays.array_split import ArrayBlockReader, ArraySplit
from components.ingest.read_options import ReadOptions
from components.ingest.read_plan import ReadPlan
from components.ingest.slicing import RowRange, select_rows
from serving.batch.inputs.open_file import shown
from serving.errors import InputError


def plan_arrays(
    dataset: str,
    version: str,
    path: Path,
    splits: Mapping[str, ArraySplit],
    options: ReadOptions,
    class_names: Callable[[Sequence[UnpackedArray]], tuple[str, ...]],
) -> ReadPlan:
    """Plans the blocks of both splits.

    Args:
        dataset: the set's name.
        version: a digest of its content.
        path: the set's, for messages.
        splits: the arrays of each of the set's own splits.
        options: which rows to read, and how.
        class_names: gives the names for the labels of the training rows' arrays.

    Raises: InputError: as `Source.plan`.
    """
    selected = select_rows(options, {name: split.rows for name, split in splits.items()}, shown(path))
    for name, ranges in (("train", selected.learning), ("test", selected.test)):
        _require_one_type(name, [splits[part.source_split] for part in ranges])
    used = [splits[part.source_split] for part in selected.ranges]
    shape = _image_shape(used, options.resize)
    trained = {part.source_split: splits[part.source_split].labels for part in selected.learning}
    rows = options.rows_per_block(shape)
    return ReadPlan(
        dataset=dataset,
        version=version,
        class_names=class_names(list(trained.values())),
        image_shape=shape,
        readers=tuple(
            ArrayBlockReader(name, index, _rows(block, splits), shape[:2])
            for name, index, block in selected.blocks(rows)
        ),
        validation_blocks=selected.validation_blocks(rows),
    )


def _rows(block: Sequence[RowRange], splits: Mapping[str, ArraySplit]) -> tuple[tuple[ArraySplit, int, int], ...]:
    return tuple((splits[source_split], start, stop) for source_split, start, stop in block)


def _require_one_type(name: str, splits: Sequence[ArraySplit]) -> None:
    """Refuses to join arrays of different types, because that would change values. Raises: InputError."""
    first = splits[0]
    for other in splits:
        if other.types != first.types:
            one, two = (f"{shown(s.images.name)} ({s.types[0]}, labels {s.types[1]})" for s in (first, other))
            raise InputError(
                f"--ingest.{name}-split joins arrays of different types, {one} and {two}: save all with one type"
            )


def _image_shape(splits: Sequence[ArraySplit], size: tuple[int, int] | None) -> tuple[int, int, int]:
    """The one shape of all images, after resizing. Raises: InputError: the shapes differ."""
    shapes = {}
    for split in splits:
        height_width = size if size is not None and split.types[0] == np.uint8 else split.image_shape[:2]
        shapes[(*height_width, split.image_shape[2])] = split
    if len(shapes) > 1:
        (shape, one), (other_shape, other), *_ = shapes.items()
        raise InputError(
            f"the images in {shown(one.images.name)} have shape {shape} (height, width, channels), those in "
            f"{shown(other.images.name)} {other_shape}: save all with one shape, or save uint8 images with equal "
            f"channels and give --ingest.resize {shape[0]} {shape[1]}"
        )
    (shape,) = shapes
    return shape
