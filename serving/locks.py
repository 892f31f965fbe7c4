"""Locks on files and folders: held by one at a time, and let go when the process that holds one dies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(path: Path, how: int = fcntl.LOCK_EX) -> Iterator[None]:
    """Holds the lock of a folder, or of a file, which is made where there is none.

    Args:
        path: what is locked; it is neither read nor changed.
        how: one of `fcntl`'s, as `LOCK_SH` for many at a time; waits for whoever holds it, unless with `LOCK_NB`.

    Raises:
        BlockingIOError: somebody holds it, and it was not to be waited.
        OSError: it cannot be opened.
    """
    flags = os.O_RDONLY | os.O_DIRECTORY if path.is_dir() else os.O_RDWR | os.O_CREAT
    descriptor = os.open(path, flags, 0o666)
    try:
        fcntl.flock(descriptor, how)
        yield
    finally:
        os.close(descriptor)
