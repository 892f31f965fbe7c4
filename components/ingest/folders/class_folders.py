"""A folder with a folder for each class -> its pictures by split, in order, found by their names."""

from __future__ import annotations

import hashlib
import os
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from components.ingest.slicing import RowRange
from serving.batch.inputs.open_file import shown
from serving.batch.inputs.pictures import has_suffix
from serving.errors import InputError

LAYOUTS = "<class>/x.png or <split>/<class>/x.png"
# The only split of a folder without split folders.
DEFAULT_SPLIT = "train"
# Pictures that cannot be read; ignoring them would lose data silently.
OTHER_SUFFIXES = (".bmp", ".gif", ".webp", ".tif", ".tiff", ".avif", ".heic")


class Picture(NamedTuple):
    """A picture file: its path below the set's folder, and the index of its class in the class names."""

    path: str
    label: int


@dataclass(frozen=True)
class ClassFolders:
    """The pictures of a folder.

    Attributes:
        class_names: the names of the class folders of all splits, sorted.
        splits: the pictures of each split, in order; at least one.
    """

    class_names: tuple[str, ...]
    splits: dict[str, tuple[Picture, ...]]

    @property
    def paths(self) -> list[str]:
        """The paths of all pictures below the set's folder."""
        return [picture.path for pictures in self.splits.values() for picture in pictures]

    def pictures(self, ranges: Sequence[RowRange]) -> tuple[Picture, ...]:
        """The pictures of some rows, in order."""
        return tuple(picture for rows in ranges for picture in self.splits[rows.source_split][rows.start : rows.stop])

    @property
    def empty_classes(self) -> list[str]:
        """The classes without a picture in any split."""
        used = {picture.label for pictures in self.splits.values() for picture in pictures}
        return [name for label, name in enumerate(self.class_names) if label not in used]


def find_pictures(root: Path) -> ClassFolders:
    """Finds the pictures of a folder in the layout of `tfds.ImageFolder`, or in the same without split folders.

    Hidden files and files that are not pictures are ignored. No picture is opened.

    Raises:
        InputError: the path is a file; there are no pictures, or none in a split; a picture is in no class folder, at
            another depth than the others, or neither PNG nor JPEG; two folders' names read the same; a link leads to
            a parent folder or to nothing; a picture is a pipe; or a folder cannot be read.
    """
    if not root.is_dir():
        raise InputError(f"{shown(root)} is a file: give the folder that holds {LAYOUTS}")
    pictures: list[str] = []
    folders: list[str] = []
    for name, is_folder in _walk(root):
        (folders if is_folder else pictures).append(name)
    depth = _depth(root, pictures)
    names = sorted({folder.split("/")[-1] for folder in folders if folder.count("/") == depth - 1})
    labels = {name: label for label, name in enumerate(names)}
    found = [Picture(name, labels[name.split("/")[depth - 1]]) for name in pictures]
    if depth == 1:
        splits = {DEFAULT_SPLIT: _by_name_hash(found)}
    else:
        # A split's name is its folder's; bytes that are not UTF-8 are written as in messages.
        tops = [folder for folder in folders if "/" not in folder]
        splits = {shown(top): _as_tfds(shown(top), [p for p in found if p.path.startswith(f"{top}/")]) for top in tops}
    _require_distinct(root, names)
    _require_distinct(root, folders)
    for split, rows in splits.items():
        if not rows:
            raise InputError(
                f"{shown(root)}/{split} looks like a split, because it is beside split folders, but holds no picture: "
                "add pictures, or move it away"
            )
    return ClassFolders(tuple(map(shown, names)), splits)


def _require_distinct(root: Path, names: Sequence[str]) -> None:
    """Refuses different names that are equal as text. Raises: InputError."""
    for name, count in Counter(map(shown, names)).items():
        if count > 1:
            raise InputError(
                f"{shown(root)} holds two folders that both read {name}, because a name is not valid UTF-8: "
                "rename one of them"
            )


def _walk(root: Path, inside: str = "", parents: tuple[tuple[int, int], ...] = ()) -> Iterator[tuple[str, bool]]:
    """Yields (path below the root, whether it is a folder) for each folder and picture, sorted by name.

    `parents` are the device and inode of the folders from the root to the folder that contains this one.
    """
    folder = root / inside
    try:
        state = os.stat(folder)
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise InputError(
            f"{shown(folder)} cannot be read: {error.strerror}: make it readable, or move it away"
        ) from error
    if (state.st_dev, state.st_ino) in parents:
        raise InputError(f"{shown(folder)} is a link to one of its parent folders: remove it")
    for entry in found:
        name = f"{inside}/{entry.name}" if inside else entry.name
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield name, True
            yield from _walk(root, name, (*parents, (state.st_dev, state.st_ino)))
        elif has_suffix(name):
            if not entry.is_file():
                raise InputError(f"{shown(root / name)} is a link to nothing, or a pipe: remove it")
            yield name, False
        elif name.lower().endswith(OTHER_SUFFIXES):
            raise InputError(f"{shown(root / name)} is neither PNG nor JPEG: convert it to PNG, or move it away")


def _as_tfds(split: str, pictures: Sequence[Picture]) -> tuple[Picture, ...]:
    """In the order of `tfds.ImageFolder`."""
    ordered = sorted(pictures, key=lambda picture: (picture.label, picture.path))
    random.Random(split).shuffle(ordered)
    return tuple(ordered)


def _by_name_hash(pictures: Sequence[Picture]) -> tuple[Picture, ...]:
    """Sorts by the hash of the path, so that adding a picture leaves almost all others in their split."""
    return tuple(sorted(pictures, key=lambda picture: hashlib.sha256(os.fsencode(picture.path)).digest()))


def _depth(root: Path, pictures: Sequence[str]) -> int:
    """How many folders a picture is in: 1 for its class, 2 for its split and class. Raises: InputError."""
    examples: dict[int, str] = {}
    for name in pictures:
        examples.setdefault(name.count("/"), name)
    if not examples:
        raise InputError(f"{shown(root)} holds no pictures (.png, .jpg, .jpeg) in class folders: give {LAYOUTS}")
    if 0 in examples:
        raise InputError(
            f"{shown(root / examples[0])} is in no class folder: move it into one, the layout is {LAYOUTS}"
        )
    if max(examples) > 2:
        raise InputError(
            f"{shown(root / examples[max(examples)])} is {max(examples)} folders deep: the layout is {LAYOUTS}"
        )
    if len(examples) > 1:
        raise InputError(
            f"{shown(root)} mixes layouts: {shown(examples[1])} is in one folder, {shown(examples[2])} in two: "
            f"lay all pictures out as {LAYOUTS}"
        )
    return max(examples)
