"""Folders that a user names: whether they can be written, before any work is done."""

from __future__ import annotations

import tempfile
from pathlib import Path

from serving.errors import InputError


def require_writable(flag: str, folder: Path) -> None:
    """Refuses a folder that cannot be written or made. Raises: InputError."""
    try:
        with tempfile.TemporaryFile(dir=existing(folder)):
            pass
    except OSError as error:
        raise InputError(f"{flag} {folder} cannot be written: {error.strerror}: give another place") from error


def existing(folder: Path) -> Path:
    """The folder, or the nearest above it that there is."""
    return next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
