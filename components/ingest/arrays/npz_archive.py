"""A .npz file -> the set of arrays in it, found by their names."""

from __future__ import annotations

import os
import re
import struct
import zipfile
from pathlib import Path
from typing import IO

from components.ingest.arrays.array_location import ArrayLocation
from components.ingest.arrays.array_set import IMAGES, LABELS, ArraySet, pair_arrays
from serving.batch.inputs.open_file import shown
from serving.errors import InputError

MEMBER = re.compile(r"(?P<content>[xy])(?:_(?P<split>.+))?", re.DOTALL)
CONTENTS = {"x": IMAGES, "y": LABELS}
# By the name in the array's name; every other name is the split's own.
SPLITS = {None: "train", "t10k": "test"}
CLASS_NAMES = "class_names"
# The last record of a zip file. Its fifth field is the number of members, or MANY for more than it can hold.
END_RECORD = struct.Struct("<4s4H2LH")
MANY = 0xFFFF
ADVICE = "save images and labels with numpy.savez as x and y, or as x_train, y_train, x_test and y_test"


def find_npz_arrays(file: Path) -> ArraySet:
    """Finds the arrays of a .npz file by their names, without reading their values.

    Raises:
        InputError: the file is not a .npz file or is damaged, or it does not hold images and labels.
    """
    members = [name.removesuffix(".npy") for name in _member_names(file) if name.endswith(".npy")]
    found = [
        (SPLITS.get(split := match["split"], split), CONTENTS[match["content"]], ArrayLocation(file, name))
        for name in members
        if (match := MEMBER.fullmatch(name))
    ]
    if not found:
        names = ", ".join(map(shown, members[:10])) or "no arrays"
        raise InputError(f"{shown(file)} holds {names}: {ADVICE}")
    class_names = ArrayLocation(file, CLASS_NAMES) if CLASS_NAMES in members else None
    return ArraySet(file.parent, (file.name,), pair_arrays(file, found), class_names)


def _member_names(file: Path) -> list[str]:
    if not file.is_file():
        raise InputError(f"{shown(file)} is a pipe or a device: give a .npz file, or a folder of IDX files")
    try:
        with file.open("rb") as stream:
            if stream.read(2) == b"PK":
                return _checked_names(stream)
    except OSError as error:
        raise InputError(f"{shown(file)} cannot be read: {error.strerror}: make it readable") from error
    except Exception as error:
        # zipfile's exceptions on damaged files have no common class.
        raise InputError(f"{shown(file)} is a damaged .npz file ({error}): write or copy it again") from error
    raise InputError(f"{shown(file)} is not a .npz file: {ADVICE}")


def _checked_names(stream: IO[bytes]) -> list[str]:
    """The names of all members, compared with the members' own headers: zipfile silently skips damaged entries."""
    with zipfile.ZipFile(stream) as archive:
        for member in archive.infolist():
            archive.open(member).close()
        stream.seek(-END_RECORD.size - len(archive.comment), os.SEEK_END)
        entries = END_RECORD.unpack(stream.read(END_RECORD.size))[4]
        if entries not in (len(archive.infolist()), MANY):
            raise zipfile.BadZipFile("its directory is incomplete")
        return archive.namelist()
