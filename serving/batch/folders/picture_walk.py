"""A folder -> the pictures in it and in its subfolders, known by name or content, and what else lies there."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from serving.batch.inputs.kinds import HEAD_BYTES, other_picture_kind, picture_kind
from serving.batch.inputs.open_file import shown
from serving.errors import InputError
from serving.faults.fault import OF_THE_MACHINE

# Files with these suffixes are pictures, or damaged ones; those with others are opened, and are pictures by content.
SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".gif", ".bmp", ".tif", ".tiff"),
    *(".pgm", ".ppm", ".pbm", ".pnm", ".avif", ".heic", ".jxl", ".jp2"),
)
# Folders of archives, file servers and file systems. Their pictures are copies or thumbnails.
SYSTEM_FOLDERS = ("__MACOSX", "@eaDir", "lost+found", "$RECYCLE.BIN", "#recycle", "System Volume Information")
ANNEX = ".git/annex/objects/"
# Largest number of kinds that a sentence lists.
MAX_LISTED_KINDS = 5


@dataclass(frozen=True)
class FoundFiles:
    """The content of a folder; paths are relative to it.

    Attributes:
        pictures: the paths of the pictures, sorted.
        folders: the paths of the folders, sorted, without hidden ones and those of systems.
        irregular: those of the pictures that are not regular files, such as links to nothing.
        left_out: the number of files that are not read, by kind: a suffix, `without a suffix`, `hidden`, or the folder
            of a system that they are in, as `in @eaDir`.
    """

    pictures: tuple[str, ...]
    folders: tuple[str, ...]
    irregular: tuple[str, ...]
    left_out: Mapping[str, int]


def walk(root: str) -> FoundFiles:
    """Finds the pictures of a folder. Only files without a known suffix are opened.

    Raises: InputError: a folder cannot be read, or a link leads to one of its parent folders.
    """
    found = _Walk(root)
    found.visit("", ())
    # An empty folder of a file system leaves nothing out.
    left_out = {kind: count for kind, count in sorted(found.left_out.items()) if count}
    return FoundFiles(
        tuple(sorted(found.pictures)),
        tuple(sorted(found.folders)),
        tuple(sorted(found.irregular)),
        left_out,
    )


def describe_left_out(left_out: Mapping[str, int]) -> str:
    """The files that are not read, by kind, the most frequent first: `60 .txt, 1 hidden`."""
    ordered = sorted(left_out.items(), key=lambda item: (-item[1], item[0]))
    listed = [f"{count:,} {kind}" for kind, count in ordered[:MAX_LISTED_KINDS]]
    rest = sum(count for _, count in ordered[MAX_LISTED_KINDS:])
    return ", ".join([*listed, *([f"{rest:,} others"] if rest else [])])


def left_out_line(left_out: Mapping[str, int]) -> str:
    """The same for the screen, with the reason."""
    return f"left out (not read as images): {describe_left_out(left_out)}"


def irregular_reason(path: str) -> str:
    """Why a picture that is not a regular file cannot be read, as the end of a sentence that starts with its name."""
    try:
        target = os.readlink(path)
    except OSError:
        return "is a pipe or a device: remove it"
    if ANNEX in target.replace(os.sep, "/"):
        return "is a git-annex link without the content: run `git annex get` in its repository"
    return "is a link to nothing: remove it"


class _Walk:
    """What was found so far."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.pictures: list[str] = []
        self.folders: list[str] = []
        self.irregular: list[str] = []
        self.left_out: Counter[str] = Counter()

    def visit(self, inside: str, above: tuple[tuple[int, int], ...]) -> None:
        """Adds the files of one folder; `above` are its parent folders by device and inode."""
        here = os.path.join(self.root, inside) if inside else self.root
        try:
            state = os.stat(here)
            with os.scandir(here) as entries:
                found = list(entries)
        except OSError as error:
            message = f"{shown(here)} cannot be read: {error.strerror}: make it readable, or move it away"
            raise InputError(message) from error
        if (state.st_dev, state.st_ino) in above:
            raise InputError(f"{shown(here)} is a link to one of its parent folders: remove it")
        for entry in found:
            path = f"{inside}/{entry.name}" if inside else entry.name
            if entry.is_dir():
                if entry.name in SYSTEM_FOLDERS:
                    self.left_out[f"in {entry.name}"] += _count_files(entry.path)
                elif not entry.name.startswith("."):
                    self.folders.append(path)
                    self.visit(path, (*above, (state.st_dev, state.st_ino)))
            elif entry.name.startswith("."):
                self.left_out["hidden"] += 1
            else:
                self._add_file(entry, path)

    def _add_file(self, entry: os.DirEntry[str], path: str) -> None:
        regular = entry.is_file()
        if entry.name.lower().endswith(SUFFIXES) or (regular and _is_picture(entry.path)):
            self.pictures.append(path)
            if not regular:
                self.irregular.append(path)
        else:
            suffix = os.path.splitext(entry.name)[1].lower()
            self.left_out[shown(suffix) or "without a suffix"] += 1


def _is_picture(path: str) -> bool:
    try:
        with open(path, "rb", buffering=0) as file:
            head = file.read(HEAD_BYTES) or b""
    except OSError as error:
        if error.errno in OF_THE_MACHINE:
            raise OSError(error.errno, error.strerror, path) from error
        return False
    return (picture_kind(head) or other_picture_kind(head)) is not None


def _count_files(folder: str) -> int:
    return sum(len(files) for _, _, files in os.walk(folder))
