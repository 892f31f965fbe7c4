"""A version that serves -> whether servers of other users can read it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from serving.registry.registry import POINTER, Promoted, Registry


def owner_only_message(registry: Registry, promoted: Promoted) -> str | None:
    """A sentence with the remedy if only the owner can read a file or folder that a server needs; None otherwise."""
    private = next((path for path in _needed(registry, promoted) if _is_private(path)), None)
    if private is None:
        return None
    return (
        f"{private} can be read only by its owner, so a server of another user cannot load {promoted.model} version "
        f"{promoted.version}: `chmod -R go+rX {shlex.quote(str(registry.root))}` lets every user read it, and `umask "
        "022` before the next run the versions after it"
    )


def _needed(registry: Registry, promoted: Promoted) -> Iterator[Path]:
    folder = registry.root / promoted.model
    yield from (registry.root, folder, folder / POINTER, promoted.path)
    yield from sorted(promoted.path.rglob("*"))


def _is_private(path: Path) -> bool:
    mode = path.stat().st_mode
    # A folder is read and entered; the group or all others may do it.
    needed = 0o5 if path.is_dir() else 0o4
    return mode & needed != needed and (mode >> 3) & needed != needed
