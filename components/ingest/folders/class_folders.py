"""A folder with a folder for each class -> its pictures by split, in order, found by their names."""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Iterable, Sequence
from pathlib import Path

from components.ingest.distinct_names import require_distinct_names
from components.ingest.folders.elsewhere import classes_elsewhere
from components.ingest.folders.labelled_pictures import LabelledPictures, Picture
from components.ingest.natural_order import natural_key
from serving.batch.folders.picture_walk import FoundFiles, describe_left_out, irregular_reason, walk
from serving.batch.inputs.open_file import shown
from serving.errors import InputError

LAYOUTS = "<class>/x.png or <split>/<class>/x.png"
# The only split of a folder without split folders.
DEFAULT_SPLIT = "train"
# Names that folders of splits have, in lower case.
SPLIT_NAMES = ("train", "training", "test", "testing", "val", "valid", "validation", "dev", "eval")


def find_pictures(root: Path) -> LabelledPictures:
    """Finds the pictures of a folder in the layout of `tfds.ImageFolder`, or in the same without split folders.

    Hidden files, folders of archives and file systems, and files that are not pictures are left out, and counted. Only
    files without a picture's suffix are opened.

    Raises:
        InputError: the path is a file; there are no pictures, or none in a split; a picture is in no class folder, or
            at another depth than the others; split folders hold pictures instead of class folders; the names of two
            folders read the same, or differ only in accents, case or spaces; a link leads to a parent folder or to
            nothing; a picture is a pipe; or a folder cannot be read.
    """
    if not root.is_dir():
        raise InputError(f"{shown(root)} is a file: give the folder that holds {LAYOUTS}")
    files = walk(str(root))
    if files.irregular:
        first = root / files.irregular[0]
        more = f"; the same for {len(files.irregular) - 1:,} other files" if len(files.irregular) > 1 else ""
        raise InputError(f"{shown(first)} {irregular_reason(str(first))}{more}")
    depth = _depth(root, files)
    names = sorted(
        {folder.split("/")[-1] for folder in files.folders if folder.count("/") == depth - 1}, key=natural_key
    )
    require_distinct_names(root, names)
    labels = {name: label for label, name in enumerate(names)}
    found = [Picture(name, labels[name.split("/")[depth - 1]]) for name in files.pictures]
    if depth == 1:
        _require_classes(root, names, files.pictures)
        splits = {DEFAULT_SPLIT: by_name_hash(found)}
    else:
        # A split's name is its folder's; bytes that are not UTF-8 are written as in messages.
        tops = [folder for folder in files.folders if "/" not in folder]
        require_distinct_names(root, tops)
        splits = {shown(top): _as_tfds(shown(top), [p for p in found if p.path.startswith(f"{top}/")]) for top in tops}
    for split, rows in splits.items():
        if not rows:
            raise InputError(
                f"{shown(root)}/{split} looks like a split, because it is beside split folders, but holds no picture: "
                "add pictures, or move it away"
            )
    return LabelledPictures(root, tuple(map(shown, names)), splits, files.left_out)


def _require_classes(root: Path, names: Sequence[str], pictures: Sequence[str]) -> None:
    """Refuses folders that all have names of splits, but hold pictures. Raises: InputError."""
    if any(name.lower() not in SPLIT_NAMES for name in names):
        return
    listed = ", ".join(names)
    one = f"{listed} looks like a split" if len(names) == 1 else f"{listed} look like splits"
    raise InputError(
        f"{shown(root)}: {one}, but pictures lie there without class folders: move each picture into a folder with "
        f"the name of its class, the layout is {LAYOUTS}; {classes_elsewhere(root, pictures)}; if these folders "
        "are classes, rename them"
    )


def _as_tfds(split: str, pictures: Sequence[Picture]) -> tuple[Picture, ...]:
    """In the order of `tfds.ImageFolder`."""
    ordered = sorted(pictures, key=lambda picture: (picture.label, picture.path))
    random.Random(split).shuffle(ordered)
    return tuple(ordered)


def by_name_hash(pictures: Iterable[Picture]) -> tuple[Picture, ...]:
    """Sorts by the hash of the path, so that adding a picture leaves almost all others in their split."""
    return tuple(sorted(pictures, key=lambda picture: hashlib.sha256(os.fsencode(picture.path)).digest()))


def _depth(root: Path, files: FoundFiles) -> int:
    """How many folders a picture is in: 1 for its class, 2 for its split and class. Raises: InputError."""
    examples: dict[int, str] = {}
    for name in files.pictures:
        examples.setdefault(name.count("/"), name)
    if not examples:
        rest = f", but {describe_left_out(files.left_out)}" if files.left_out else ""
        raise InputError(f"{shown(root)} holds no pictures in class folders{rest}: give {LAYOUTS}")
    if 0 in examples:
        raise InputError(
            f"{shown(root / examples[0])} is in no class folder: move it into one, the layout is {LAYOUTS}; "
            f"{classes_elsewhere(root, files.pictures)}"
        )
    if max(examples) > 2:
        raise InputError(
            f"{shown(root / examples[max(examples)])} is {max(examples)} folders deep: the layout is {LAYOUTS}: "
            "give the folder that holds the splits or the classes"
        )
    if len(examples) > 1:
        raise InputError(
            f"{shown(root)} mixes layouts: {shown(examples[1])} is in one folder, {shown(examples[2])} in two: "
            f"lay all pictures out as {LAYOUTS}"
        )
    return max(examples)
