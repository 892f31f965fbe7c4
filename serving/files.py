"""Files that are written whole or not at all, and their digests."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CHUNK_BYTES = 1 << 20


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal, read in chunks."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def canonical_json(value: Any) -> str:
    """JSON with sorted keys, so that equal values have equal bytes and so equal digests."""
    return json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Writes canonical JSON, flushed to the disk; the folder's own entry is the caller's to flush."""
    _write_flushed(path, canonical_json(value))


def replace_json(path: Path, value: Mapping[str, Any]) -> None:
    """Replaces a JSON file in one step: a reader sees the old one or the new one, whole."""
    replace_text(path, canonical_json(value))


def replace_text(path: Path, text: str) -> None:
    """Replaces a file in one step: a reader sees the old one or the new one, whole, and so does a power failure."""
    staged = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        _write_flushed(staged, text)
        os.replace(staged, path)
    finally:
        staged.unlink(missing_ok=True)
    fsync_folder(path.parent)


def append_line(path: Path, line: str) -> None:
    """Adds a line to a file, on the disk when it returns; what was cut off before its line's end goes first."""
    with path.open("a+b") as file:
        file.seek(0)
        whole = file.read().rfind(b"\n") + 1
        file.truncate(whole)
        file.write(line.encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    fsync_folder(path.parent)


def fsync_folder(folder: Path) -> None:
    """Flushes a folder's entries, without which a rename may be undone by a power failure."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def fsync_tree(root: Path) -> None:
    """Flushes every file and folder below `root`, and `root` itself."""
    for folder, _, names in os.walk(root):
        for name in names:
            descriptor = os.open(Path(folder) / name, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        fsync_folder(Path(folder))


def _write_flushed(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
