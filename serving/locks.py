"""Locks on files and folders, which the system releases when the process ends."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# The answers of file systems without locks, such as NFS without its lock service, Lustre without its option, some of
# FUSE.
NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.EPERM})
# The file systems that this process has warned about.
_warned: set[int] = set()


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
        lock(descriptor, path, mode)
        yield
    finally:
        os.close(descriptor)


def lock(descriptor: int, path: Path, mode: int = fcntl.LOCK_EX) -> None:
    """Locks an open file or folder until it is closed; on a file system without locks only warns, once.

    Raises: BlockingIOError: another process holds the lock, and the mode has `LOCK_NB`.
    """
    try:
        fcntl.flock(descriptor, mode)
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
        _warn(os.fstat(descriptor).st_dev, no_locks_message(path, str(error.strerror)))


def no_locks_message(path: Path, cause: str) -> str:
    """What is not safe in a folder without locks, and what to do."""
    return (
        f"the file system of {path} has no locks ({cause}): run one command at a time with it, because two at once may "
        "overwrite each other's files"
    )


def _warn(device: int, message: str) -> None:
    if device not in _warned:
        _warned.add(device)
        # Imported here: it would take a tenth of the time to score a small file.
        import logging

        logging.getLogger("beamline.locks").warning("WARNING: %s", message, extra={"event": {"event": "notice"}})
