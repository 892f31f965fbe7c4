"""ArraySource: arrays of images and labels, in a .npz file or in IDX files: `--dataset arrays:PATH`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from components.ingest.arrays.array_location import ArrayLocation, UnpackedArray
from components.ingest.arrays.array_set import ArraySet
from components.ingest.arrays.array_split import ArrayBlockReader, ArraySplit, open_split
from components.ingest.arrays.class_names import count_classes, read_names
from components.ingest.arrays.idx_folder import find_idx_arrays
from components.ingest.arrays.npz_archive import find_npz_arrays
from components.ingest.digest_cache import content_digest
from components.ingest.local_path import existing_path
from components.ingest.read_options import ReadOptions
from components.ingest.read_plan import ReadPlan
from components.ingest.slicing import RowRange, cut_blocks, select_rows
from components.ingest.source import LocalSource
from serving.batch.inputs.open_file import shown
from serving.errors import InputError


@dataclass(frozen=True)
class ArraySource(LocalSource):
    """A .npz file with `x` and `y`, or `x_<split>` and `y_<split>`, or a folder of IDX files named as MNIST's."""

    def fingerprint(self) -> Mapping[str, str]:
        """The digest of the files and their names."""
        path = existing_path(self.path)
        return {"content": self._content(path, _find_arrays(path))}

    def prepare(self) -> None:
        """Checks that the arrays exist. Raises: InputError."""
        _find_arrays(existing_path(self.path))

    def plan(self, options: ReadOptions, scratch: Path) -> ReadPlan:
        """Unpacks packed arrays, and reads the headers."""
        path = existing_path(self.path)
        if options.background is not None:
            raise InputError(
                f"--ingest.background {options.background} is for pictures, {shown(path)} holds arrays: omit the option"
            )
        found = _find_arrays(path)
        scratch = scratch.absolute()
        splits = {name: open_split(locations, scratch) for name, locations in found.splits.items()}
        selected = select_rows(options, {name: split.rows for name, split in splits.items()}, shown(path))
        for name, ranges in selected.items():
            _require_one_type(name, [splits[part.source_split] for part in ranges])
        used = [splits[part.source_split] for ranges in selected.values() for part in ranges]
        shape = _image_shape(used, options.resize)
        trained = {part.source_split: splits[part.source_split].labels for part in selected["train"]}
        return ReadPlan(
            dataset=f"arrays:{self.name}",
            version=self._content(path, found)[:12],
            class_names=_class_names(found.class_names, list(trained.values()), options, scratch),
            image_shape=shape,
            readers=tuple(
                ArrayBlockReader(name, index, _rows(block, splits), shape[:2])
                for name, ranges in selected.items()
                for index, block in enumerate(cut_blocks(ranges, options.rows_per_block(shape)))
            ),
        )

    def _content(self, path: Path, found: ArraySet) -> str:
        return content_digest(found.root, found.files, self.digest_cache, path)


def _find_arrays(path: Path) -> ArraySet:
    return find_idx_arrays(path) if path.is_dir() else find_npz_arrays(path)


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


def _class_names(
    location: ArrayLocation | None, labels: Sequence[UnpackedArray], options: ReadOptions, scratch: Path
) -> tuple[str, ...]:
    """The names in the set, or else the labels as text. Raises: InputError."""
    if location is None:
        return tuple(map(str, range(options.classes or count_classes(labels))))
    names = read_names(location.unpack(scratch, "names"))
    if options.classes not in (None, len(names)):
        raise InputError(
            f"--ingest.classes {options.classes}: {shown(location.file)} names {len(names)} classes: omit the option"
        )
    return names
