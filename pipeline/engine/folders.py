"""Folders that are removed and moved without renaming an old one, which an overlay file system refuses."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

from serving.files import fsync_path, fsync_tree

# It makes a folder an artifact.
RECORD = "record.json"
# The record of an artifact whose removal has begun: what is left of it is never read, and `clean` removes it.
REMOVED = "removed.json"


def remove(path: Path) -> None:
    """Removes a file, a link or a folder; an artifact ceases to be one before its first file is gone.

    Raises: OSError: something could not be removed; removing the path again removes the rest.
    """
    if path.is_symlink() or not path.is_dir():
        path.unlink()
        return
    # A rename of the whole folder would do the same in one step. But in a container, a folder of the image cannot be
    # renamed.
    if (path / RECORD).exists():
        os.replace(path / RECORD, path / REMOVED)
        fsync_path(path)
    for entry in path.iterdir():
        if entry.name != REMOVED:
            remove(entry)
    (path / REMOVED).unlink(missing_ok=True)
    path.rmdir()


def is_half_removed(folder: Path) -> bool:
    """Whether a removal of this artifact was stopped; an empty folder is all that the last moment of one leaves."""
    return folder.is_dir() and ((folder / REMOVED).exists() or not any(folder.iterdir()))


def move(source: Path, target: Path) -> None:
    """Moves a folder to a free name on the same file system; there it appears in one step. Raises: OSError."""
    try:
        os.replace(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        # The folder is in a lower layer of an overlay file system: a copy is not.
        copy = source.with_name(f"{source.name}.copy")
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(source, copy)
        fsync_tree(copy)
        os.replace(copy, target)
        shutil.rmtree(source)
