"""Files that are written completely or not at all, and their digests."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CHUNK_BYTES = 1 << 20
# The answers of file systems that cannot flush a folder.
NO_FLUSH = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EPERM, errno.EBADF})


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal, read in chunks."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def entries(folder: Path) -> list[Path]:
    """The entries of a folder, sorted; none if it does not exist."""
    return sorted(folder.iterdir()) if folder.is_dir() else []


def size_bytes(path: Path) -> int:
    """The size of a file, or of all files in a folder together."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def canonical_json(value: Any) -> str:
    """JSON with sorted keys: equal values have equal bytes and equal digests."""
    return json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Writes canonical JSON, flushed to the disk; the caller flushes the folder."""
    _write_flushed(path, canonical_json(value).encode())


def replace_json(path: Path, value: Mapping[str, Any]) -> None:
    """Replaces a JSON file in one step: a reader sees the old content or the new content."""
    replace_text(path, canonical_json(value))


def replace_text(path: Path, text: str) -> None:
    """Replaces a file in one step: a reader, or a power failure, finds the old content or the new content."""
    replace_bytes(path, text.encode())


def replace_bytes(path: Path, content: bytes) -> None:
    """Replaces a file in one step, as `replace_text` does."""
    staged = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        _write_flushed(staged, content)
        os.replace(staged, path)
    finally:
        staged.unlink(missing_ok=True)
    fsync_path(path.parent)


def append_line(path: Path, line: str) -> None:
    """Adds a line to a file, flushed to the disk; an incomplete last line is removed first."""
    with path.open("a+b") as file:
        file.seek(0)
        complete = file.read().rfind(b"\n") + 1
        file.truncate(complete)
        file.write(line.encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    fsync_path(path.parent)


def fsync_path(path: Path) -> None:
    """Flushes a file, or a folder's entries: without this, a power failure can undo a rename."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some file systems, of networks or of FUSE, flush files alone.
        if error.errno not in NO_FLUSH or not path.is_dir():
            raise
    finally:
        os.close(descriptor)


def fsync_tree(root: Path) -> None:
    """Flushes every file and folder below `root`, and `root` itself."""
    for folder, _, names in os.walk(root):
        for name in names:
            fsync_path(Path(folder) / name)
        fsync_path(Path(folder))


def _write_flushed(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
