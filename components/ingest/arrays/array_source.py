"""ArraySource: arrays of images and labels, in an archive or in files of a folder: `--dataset arrays:PATH`."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from components.ingest.arrays.array_folder import find_arrays
from components.ingest.arrays.array_location import UnpackedArray
from components.ingest.arrays.array_names import IMAGES, LABELS
from components.ingest.arrays.array_plan import plan_arrays
from components.ingest.arrays.array_set import ArraySet
from components.ingest.arrays.array_split import ArraySplit, open_split
from components.ingest.arrays.class_names import count_classes, read_names
from components.ingest.arrays.mat_order import find_rows
from components.ingest.arrays.plain_labels import digits_of_tens, plain_labels
from components.ingest.digest_cache import content_digest
from components.ingest.local_path import existing_path
from components.ingest.read_options import ReadOptions
from components.ingest.read_plan import ReadPlan
from components.ingest.row_order import ARRAYS_ADVICE, require_mixed_classes
from components.ingest.source import LocalSource
from serving.batch.inputs.open_file import shown
from serving.errors import InputError

log = logging.getLogger("beamline.source")


@dataclass(frozen=True)
class ArraySource(LocalSource):
    """A .npz or .mat file, or a folder of .npz, .mat, .npy or IDX files; `array_names` tells what is what."""

    def fingerprint(self) -> Mapping[str, str]:
        """The digest of the files and their names."""
        path = existing_path(self.path)
        return {"content": self._content(path, find_arrays(path))}

    def prepare(self) -> None:
        """Checks that the arrays exist. Raises: InputError."""
        find_arrays(existing_path(self.path))

    def plan(self, options: ReadOptions, scratch: Path) -> ReadPlan:
        """Unpacks packed arrays, converts labels to numbers, and reads the headers."""
        path = existing_path(self.path)
        if options.background is not None:
            raise InputError(
                f"--ingest.background {options.background} is for pictures, {shown(path)} holds arrays: omit the option"
            )
        found = find_arrays(path)
        splits, names = _open(path, found, scratch.absolute())
        if options.train_split is None and options.test_split is None and len(splits) == 1:
            (split,) = splits.values()
            require_mixed_classes(path, split.labels.pieces(), ARRAYS_ADVICE)
        plan = plan_arrays(
            f"arrays:{self.name}",
            self._content(path, found)[:12],
            path,
            splits,
            options,
            lambda trained: _class_names(names, trained, options, path),
        )
        return replace(plan, left_out=found.left_out)

    def _content(self, path: Path, found: ArraySet) -> str:
        return content_digest(found.root, found.files, self.digest_cache, path)


def _open(path: Path, found: ArraySet, scratch: Path) -> tuple[dict[str, ArraySplit], tuple[str, ...] | None]:
    """The splits, with plain labels, and the class names, if the set has any."""
    locations = {split: find_rows(arrays) for split, arrays in found.splits.items()}
    images = {split: arrays[IMAGES].unpack(scratch, IMAGES) for split, arrays in locations.items()}
    labels = {split: arrays[LABELS].unpack(scratch, LABELS) for split, arrays in locations.items()}
    if all(arrays[IMAGES].rows_last for arrays in locations.values()):
        digits = digits_of_tens(labels, scratch)
        if digits is not None:
            log.info("%s: the label 10 is the digit 0, as in SVHN", shown(path))
            labels = digits
    names = None if found.class_names is None else read_names(found.class_names.unpack(scratch, "names"))
    labels, names = plain_labels(labels, names, scratch)
    return {split: open_split(images[split], labels[split]) for split in locations}, names


def _class_names(
    names: tuple[str, ...] | None, labels: Sequence[UnpackedArray], options: ReadOptions, path: Path
) -> tuple[str, ...]:
    """The names in the set, or else the labels as text. Raises: InputError."""
    if names is None:
        return tuple(map(str, range(options.classes or count_classes(labels))))
    if options.classes not in (None, len(names)):
        raise InputError(f"--ingest.classes {options.classes}: {shown(path)} has {len(names)} classes: omit the option")
    return names
