"""Locks on files and folders, which the system releases when the process ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(path: Path, mode: int = fcntl.LOCK_EX) -> Iterator[None]:
    """Holds the lock of a folder, or of a file, which is created if it does not exist; `mode` is that of `fcntl.flock`.

    Raises:
        BlockingIOError: another process holds the lock, and the mode has `LOCK_NB`.
        OSError: the path cannot be opened.
    """
    flags = os.O_RDONLY | os.O_DIRECTORY if path.is_dir() else os.O_RDWR | os.O_CREAT
    descriptor = os.open(path, flags, 0o666)
    try:
        fcntl.flock(descriptor, mode)
        yield
    finally:
        os.close(descriptor)
