"""The path of a set on the disk -> where it is, and the names that it goes by."""

from __future__ import annotations

import difflib
import hashlib
import os
import re
import unicodedata
from pathlib import Path

from serving.errors import InputError
from serving.inputs.open_file import shown

# A model's name is a folder's name, which most file systems end at 255 bytes.
MOST_LETTERS = 100
ARCHIVE = ".npz"


def find_place(path: Path) -> Path:
    """Where a set is, absolute, with `~` as shells take it.

    Raises:
        InputError: nothing is there; it says what is near.
    """
    place = _absolute(path)
    if os.path.exists(place):
        return place
    siblings = [entry.name for entry in place.parent.iterdir()] if os.access(place.parent, os.R_OK | os.X_OK) else []
    near = difflib.get_close_matches(place.name, siblings, 1)
    advice = f"did you mean {shown(place.parent / near[0])}?" if near else "give the path of one that is there"
    raise InputError(f"{shown(place)} does not exist: {advice}")


def set_name(path: Path) -> str:
    """The last name of a set's path, without .npz, as text that every encoding can write."""
    return shown(_absolute(path).name).removesuffix(ARCHIVE)


def model_name(path: Path) -> str:
    """The name under which a set's models are promoted where the user gives none.

    It ends with digits of the whole path: two sets with the same last name are two sets. Links are not followed: what
    is called `current`, and moves on to another folder each day, stays the same set.
    """
    whole = _absolute(path)
    return f"{plain_name(set_name(path))}-{hashlib.sha256(os.fsencode(whole)).hexdigest()[:6]}"


def plain_name(name: str) -> str:
    """What a model's name may hold of a text: letters without their accents, digits, `_`, `.` and `-`."""
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^A-Za-z0-9_.]+", "-", letters)[:MOST_LETTERS].lstrip("_.-").rstrip("-")
    return plain or "set"


def _absolute(path: Path) -> Path:
    # Those of pathlib raise where there is no such user, and leave `..` in the last name.
    return Path(os.path.abspath(os.path.expanduser(path)))
