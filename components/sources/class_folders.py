"""A folder with a folder for each class -> its pictures by split, in order, found by their names alone."""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from components.sources.slicing import Part
from serving.errors import InputError
from serving.inputs.open_file import shown
from serving.inputs.pictures import has_suffix

# Pictures all the same: to leave them out would lose them in silence.
OTHER_SUFFIXES = (".bmp", ".gif", ".webp", ".tif", ".tiff", ".avif", ".heic")
LAYOUTS = "<class>/x.png or <split>/<class>/x.png"
# Of a folder without folders for splits.
ONLY_SPLIT = "train"


class Picture(NamedTuple):
    """A picture.

    Attributes:
        name: its path below the set's folder.
        label: the place of its class among the names of all classes.
    """

    name: str
    label: int


@dataclass(frozen=True)
class ClassFolders:
    """The pictures of a folder.

    Attributes:
        class_names: the names of the class folders of all splits, sorted.
        splits: the pictures of each, in order; every split has some.
    """

    class_names: tuple[str, ...]
    splits: dict[str, tuple[Picture, ...]]

    @property
    def names(self) -> list[str]:
        """Of all pictures, below the set's folder."""
        return [picture.name for pictures in self.splits.values() for picture in pictures]

    def pictures(self, parts: Sequence[Part]) -> list[Picture]:
        """The pictures of some rows, in order."""
        return [picture for part in parts for picture in self.splits[part.source][part.start : part.stop]]

    @property
    def empty(self) -> list[str]:
        """The classes without a picture in any split."""
        used = {picture.label for pictures in self.splits.values() for picture in pictures}
        return [name for label, name in enumerate(self.class_names) if label not in used]


def find_pictures(root: Path) -> ClassFolders:
    """Finds the pictures of a folder, laid out as for `tfds.ImageFolder`, or without its folders for splits.

    What is hidden or called like no picture is left out. No picture is opened.

    Raises:
        InputError: no pictures, a split without any, pictures that are in no class folder or are neither PNG nor
            JPEG, or a folder that cannot be read.
    """
    if not root.is_dir():
        raise InputError(f"{shown(root)} is a file: give the folder that holds {LAYOUTS}")
    pictures: list[str] = []
    folders: list[str] = []
    for name, is_folder in _walk(root, "", ()):
        (folders if is_folder else pictures).append(name)
    depth = _depth(root, pictures)
    names = sorted({folder.split("/")[-1] for folder in folders if folder.count("/") == depth - 1})
    labels = {name: label for label, name in enumerate(names)}
    found = [Picture(name, labels[name.split("/")[depth - 1]]) for name in pictures]
    if depth == 1:
        splits = {ONLY_SPLIT: _by_digest(found)}
    else:
        tops = [folder for folder in folders if "/" not in folder]
        splits = {shown(top): _as_tfds(shown(top), [p for p in found if p.name.startswith(f"{top}/")]) for top in tops}
    for seen in (names, folders):
        if len(set(map(shown, seen))) < len(seen):
            raise InputError(f"{shown(root)} holds names that look the same where they are no UTF-8: rename them")
    for split, rows in splits.items():
        if not rows:
            raise InputError(
                f"{shown(root)}/{split} holds no picture, and stands beside folders that are splits: "
                "fill it, or move it away"
            )
    return ClassFolders(tuple(map(shown, names)), splits)


def _as_tfds(split: str, pictures: Sequence[Picture]) -> tuple[Picture, ...]:
    """In the order of `tfds.ImageFolder`."""
    ordered = sorted(pictures, key=lambda picture: (picture.label, picture.name))
    random.Random(split).shuffle(ordered)
    return tuple(ordered)


def _by_digest(pictures: Sequence[Picture]) -> tuple[Picture, ...]:
    """In an order in which a new picture moves hardly any other between training and test, however these are cut."""
    return tuple(sorted(pictures, key=lambda picture: hashlib.sha256(os.fsencode(picture.name)).digest()))


def _depth(root: Path, pictures: Sequence[str]) -> int:
    """How many folders a picture is in: 1 is its class, 2 are its split and class. Raises: InputError."""
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
            f"{shown(root / examples[max(examples)])} lies {max(examples)} folders deep: the layout is {LAYOUTS}"
        )
    if len(examples) > 1:
        raise InputError(
            f"{shown(root)} mixes layouts: {shown(examples[1])} is in one folder, {shown(examples[2])} in two: "
            f"lay all pictures out as {LAYOUTS}"
        )
    return max(examples)


def _walk(root: Path, inside: str, above: tuple[tuple[int, int], ...]) -> Iterator[tuple[str, bool]]:
    """Folders and pictures: paths below the root, and whether it is a folder; `above` are those on the way."""
    here = root / inside
    try:
        state = os.stat(here)
        with os.scandir(here) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise InputError(
            f"{shown(here)} cannot be read: {error.strerror}: make it readable, or move it away"
        ) from error
    if (state.st_dev, state.st_ino) in above:
        raise InputError(f"{shown(here)} is a link to a folder that it stands in: remove it")
    for entry in found:
        name = f"{inside}/{entry.name}" if inside else entry.name
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield name, True
            yield from _walk(root, name, (*above, (state.st_dev, state.st_ino)))
        elif has_suffix(name):
            _require_file(root, name, entry)
            yield name, False
        elif name.lower().endswith(OTHER_SUFFIXES):
            raise InputError(f"{shown(root / name)} is neither PNG nor JPEG: convert it to PNG, or move it away")


def _require_file(root: Path, name: str, entry: os.DirEntry[str]) -> None:
    """Refuses what reading would wait for or fail at. Raises: InputError."""
    if not entry.is_file():
        raise InputError(f"{shown(root / name)} is a link to nothing, or a pipe: remove it")
