"""A .npz file or a folder of IDX files -> its pairs of images and labels, by split, found by their names."""

from __future__ import annotations

import os
import re
import struct
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple

from components.sources.stored import Origin
from serving.errors import InputError
from serving.inputs.open_file import shown

IMAGES, LABELS = "images", "labels"
MEMBER = re.compile(r"(?P<what>[xy])(?:_(?P<split>.+))?", re.DOTALL)
SIDES = {"x": IMAGES, "y": LABELS}
# As MNIST, EMNIST and their kin call them.
IDX = re.compile(
    r"(?P<prefix>[^.].*|)(?P<split>train|t10k|test)-(?P<what>images|labels)[-.]idx[13]-ubyte(?:\.gz)?", re.DOTALL
)
# What a split is that is called so, or not at all.
MEANT = {None: "train", "t10k": "test"}
CLASS_NAMES = "class_names"
# The last record of an archive; its fifth field is the number of members, or says that there are more than it holds.
END = struct.Struct("<4s4H2LH")
MANY = 0xFFFF
SAVE = "save images and labels with numpy.savez as x and y, or as x_train, y_train, x_test and y_test"


class Pair(NamedTuple):
    """Images, and the label of each."""

    images: Origin
    labels: Origin


@dataclass(frozen=True)
class Pairs:
    """What a set of arrays consists of.

    Attributes:
        root: the folder of its files.
        files: their names.
        splits: the arrays of each split.
        class_names: the array of their names, where there is one.
    """

    root: Path
    files: tuple[str, ...]
    splits: dict[str, Pair]
    class_names: Origin | None


class _Found(NamedTuple):
    """An array, and what its name says that it is."""

    name: str
    split: str
    side: str
    origin: Origin


def find_pairs(place: Path) -> Pairs:
    """Finds the arrays of a set, of which it reads none.

    Raises:
        InputError: there are none, or images without labels, or the other way round, or more than one set.
    """
    return _of_folder(place) if place.is_dir() else _of_archive(place)


def _of_archive(place: Path) -> Pairs:
    members = [name.removesuffix(".npy") for name in _members(place) if name.endswith(".npy")]
    found = [
        _Found(name, MEANT.get(match["split"], match["split"]), SIDES[match["what"]], Origin(place, name))
        for name in members
        if (match := MEMBER.fullmatch(name))
    ]
    if not found:
        held = ", ".join(map(shown, members[:10])) or "no arrays"
        raise InputError(f"{shown(place)} holds {held}: {SAVE}")
    names = Origin(place, CLASS_NAMES) if CLASS_NAMES in members else None
    return Pairs(place.parent, (place.name,), _paired(place, found), names)


def _members(place: Path) -> list[str]:
    if not place.is_file():
        raise InputError(f"{shown(place)} is a pipe or a device: give a .npz file, or a folder of IDX files")
    try:
        with place.open("rb") as file:
            if file.read(2) == b"PK":
                return _whole_directory(file)
    except OSError as error:
        raise InputError(f"{shown(place)} cannot be read: {error.strerror}: make it readable") from error
    except Exception as error:
        # What zipfile raises on damaged files has no common kind.
        raise InputError(f"{shown(place)} is a damaged .npz file ({error}): write or copy it again") from error
    raise InputError(f"{shown(place)} is no .npz file: {SAVE}")


def _whole_directory(file: IO[bytes]) -> list[str]:
    """Names of all members, each held against the member's own: zipfile would leave out what is damaged."""
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            archive.open(member).close()
        file.seek(-END.size - len(archive.comment), os.SEEK_END)
        entries = END.unpack(file.read(END.size))[4]
        if entries not in (len(archive.infolist()), MANY):
            raise zipfile.BadZipFile("its directory is not whole")
        return archive.namelist()


def _of_folder(place: Path) -> Pairs:
    matches = {name: match for name in sorted(_listed(place)) if (match := IDX.fullmatch(name))}
    # The same file may lie there packed and unpacked.
    matches = {
        name: match for name, match in matches.items() if name.removesuffix(".gz") not in matches.keys() - {name}
    }
    if not matches:
        raise InputError(
            f"{shown(place)} holds no IDX files: give a folder with train-images-idx3-ubyte and its like, plain or .gz"
        )
    prefixes = {match["prefix"]: name for name, match in matches.items()}
    if len(prefixes) > 1:
        named = ", ".join(map(shown, sorted(prefixes.values())))
        raise InputError(
            f"{shown(place)} holds files of {len(prefixes)} sets ({named}): give a folder with one of them"
        )
    found = [
        _Found(name, MEANT.get(match["split"], match["split"]), match["what"], Origin(place / name, None))
        for name, match in matches.items()
    ]
    return Pairs(place, tuple(matches), _paired(place, found), None)


def _listed(place: Path) -> list[str]:
    try:
        return os.listdir(place)
    except OSError as error:
        raise InputError(f"{shown(place)} cannot be read: {error.strerror}: make it readable") from error


def _paired(place: Path, found: Iterable[_Found]) -> dict[str, Pair]:
    """Puts images and labels of each split together. Raises: InputError."""
    sides: dict[str, dict[str, _Found]] = {}
    for one in found:
        other = sides.setdefault(one.split, {}).setdefault(one.side, one)
        if other is not one:
            raise InputError(
                f"{shown(place)} holds both {shown(other.name)} and {shown(one.name)} as the {one.side} of "
                f"{shown(one.split)}: keep one of them"
            )
    for split, there in sides.items():
        if len(there) == 1:
            (one,) = there.values()
            missing = LABELS if one.side == IMAGES else IMAGES
            raise InputError(
                f"{shown(place)} holds {shown(one.name)}, the {one.side} of {shown(split)}, without {missing}: add them"
            )
    return {split: Pair(there[IMAGES].origin, there[LABELS].origin) for split, there in sides.items()}
