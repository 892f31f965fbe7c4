"""ArraySource: arrays of images and labels, in a .npz file or in IDX files: `--dataset arrays:PATH`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from components.ingest.arrays.array_location import ArrayLocation, UnpackedArray
from components.ingest.arrays.array_plan import plan_arrays
from components.ingest.arrays.array_set import ArraySet
from components.ingest.arrays.array_split import open_split
from components.ingest.arrays.class_names import count_classes, read_names
from components.ingest.arrays.idx_folder import find_idx_arrays
from components.ingest.arrays.npz_archive import find_npz_arrays
from components.ingest.digest_cache import content_digest
from components.ingest.local_path import existing_path
from components.ingest.read_options import ReadOptions
from components.ingest.read_plan import ReadPlan
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
        found = _find_arrays(path)
        scratch = scratch.absolute()
        splits = {name: open_split(locations, scratch) for name, locations in found.splits.items()}
        return plan_arrays(
            f"arrays:{self.name}",
            self._content(path, found)[:12],
            path,
            splits,
            options,
            lambda trained: _class_names(found.class_names, trained, options, scratch),
        )

    def _content(self, path: Path, found: ArraySet) -> str:
        return content_digest(found.root, found.files, self.digest_cache, path)


def _find_arrays(path: Path) -> ArraySet:
    return find_idx_arrays(path) if path.is_dir() else find_npz_arrays(path)


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
