"""Names of classes that are the same name for people: refused, because they would be different classes."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from pathlib import Path

from serving.batch.inputs.open_file import shown
from serving.errors import InputError


def require_distinct_names(
    root: Path,
    names: Sequence[str],
    kind: str = "folders",
    advice: str = "rename one of them, or move its pictures into the other",
) -> None:
    """Refuses names of classes that read the same, or differ only in accents' encoding, case or spaces.

    Args:
        root: the file or folder of the names, for messages.
        names: folders of classes, or other names of classes.
        kind: what has these names, in the plural.
        advice: what to do.

    Raises: InputError: it names the first two, and how they differ.
    """
    known: dict[str, str] = {}
    for name in names:
        same = " ".join(unicodedata.normalize("NFC", shown(name)).casefold().split())
        if same in known and known[same] != name:
            one, other = known[same], name
            raise InputError(
                f"{shown(root)} holds the {kind} {shown(one)!r} and {shown(other)!r}, which differ only in "
                f"{_difference(one, other)}: {advice}"
            )
        known[same] = name


def _difference(one: str, other: str) -> str:
    if shown(one) == shown(other):
        return "bytes that are not valid UTF-8"
    composed, other_composed = (unicodedata.normalize("NFC", name) for name in (one, other))
    if composed == other_composed:
        return f"how accents are encoded ({one!a} and {other!a}, as archives of macOS do)"
    if composed.split() == other_composed.split():
        return "spaces"
    return "upper and lower case"
