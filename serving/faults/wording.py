"""Fault -> one sentence: what failed, where, how much space there is, and what to do."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from serving.faults.fault import FULL, Fault, fault_of

# The flag whose value is a file; those of the others are folders.
OUT = "--out"
TEMPORARY = "TMPDIR"
RETRY = "then run again"
ADVICE = {
    errno.EFBIG: "raise the largest size of a file (`ulimit -f`)",
    errno.EIO: "check the disk, which the system's log names",
    errno.EROFS: "mount its file system for writing",
    errno.EACCES: "give this user the permission",
    errno.EPERM: "give this user the permission",
    errno.ENAMETOOLONG: "give a folder with a shorter path",
    errno.EMFILE: "raise the number of open files (`ulimit -n`)",
    errno.ENFILE: "end other programs",
    errno.ESTALE: "check the connection to its file system",
    errno.ENOTCONN: "check the connection to its file system",
    errno.ETIMEDOUT: "check the connection to its file system",
    errno.ENOENT: "check that nothing removes it",
    errno.ENOTDIR: "check that nothing replaces it",
}
# Errors of a place: another folder helps.
OF_THE_PLACE = FULL | {errno.EFBIG, errno.EIO, errno.EROFS, errno.EACCES, errno.EPERM, errno.ESTALE}


@dataclass(frozen=True)
class Writing:
    """What is being written when a disk becomes full.

    Attributes:
        folder: where.
        written_bytes: what is there already.
        usual_bytes: the whole, as it was the last time; 0 if it is not known.
    """

    folder: Path
    written_bytes: int
    usual_bytes: int


def failure_sentence(error: BaseException, places: Mapping[str, Path], writing: Writing | None = None) -> str | None:
    """The sentence about an exception, as of `fault_sentence`; None if it reports no failure of the machine."""
    fault = fault_of(error)
    return None if fault is None else fault_sentence(fault, places, writing)


def fault_sentence(fault: Fault, places: Mapping[str, Path], writing: Writing | None = None) -> str:
    """What failed where, and what to do, without a full stop.

    Args:
        fault: the failure.
        places: the folders and files that may be written, by the flag or the variable that names each.
        writing: what was written in one of the folders.
    """
    if fault.number == errno.ENOMEM:
        return f"there is not enough memory ({fault.cause}): end other programs, or ask for less, {RETRY}"
    places = {**places, **_temporary()}
    name = _name_of(fault, places)
    other = _other(name) if fault.number in OF_THE_PLACE else ""
    if fault.number in FULL and (name is not None or fault.file is not None):
        place = places.get(name or "", _folder(fault.file))
        where = str(place) if name is None else f"{name} {place}"
        space = _space(fault, place, writing if writing is not None and writing.folder == place else None)
        return f"the disk of {where} is full ({fault.cause}{space}): free some space{other}"
    what = str(fault.file or "a file in " + " or ".join(f"{name} {folder}" for name, folder in places.items()))
    advice = ADVICE.get(fault.number, "correct that")
    return f"{what} cannot be read or written ({fault.cause}): {advice}{other or f', {RETRY}'}"


def existing(folder: Path) -> Path:
    """The folder, or its nearest parent that exists."""
    return next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())


def shown_bytes(size: int) -> str:
    """A size for a message: `12 kB`, `3.4 MB` or `5.6 GB`."""
    for unit, name in ((10**9, "GB"), (10**6, "MB")):
        if size >= unit:
            return f"{size / unit:,.1f} {name}"
    return f"{size / 1000:.0f} kB"


def _name_of(fault: Fault, places: Mapping[str, Path]) -> str | None:
    """The flag of the folder that has the file; if no file is known, of the fullest folder."""
    folders = {name: _folder(place) if name == OUT else place for name, place in places.items()}
    if fault.file is not None:
        file = Path(os.path.abspath(fault.file))
        around = {name: os.path.abspath(folder) for name, folder in folders.items()}
        having = [name for name, folder in around.items() if file.is_relative_to(folder)]
        return max(having, key=lambda name: len(around[name]), default=None)
    if fault.number not in FULL:
        return None
    free = {name: _free_bytes(folder) for name, folder in folders.items()}
    return min(
        (name for name, size in free.items() if size is not None), key=lambda name: free[name] or 0, default=None
    )


def _folder(file: Path | None) -> Path:
    return Path() if file is None else file.parent


def _space(fault: Fault, place: Path, writing: Writing | None) -> str:
    """What is needed and what is free, after a colon."""
    free_bytes, needed_bytes = _free_bytes(place), fault.needed_bytes
    if free_bytes is None:
        return ""
    if fault.number == errno.ENOSPC and not _can_have_more_files(place):
        return ": it can have no more files"
    if writing is not None:
        # Free space does not tell what is left of a quota.
        more_bytes = free_bytes if fault.number == errno.ENOSPC else 0
        needed_bytes = max(needed_bytes, writing.usual_bytes, writing.written_bytes + more_bytes)
    known = needed_bytes > free_bytes or fault.number != errno.ENOSPC
    needed = f"at least {shown_bytes(needed_bytes)} are needed, " if needed_bytes and known else ""
    return f": {needed}{shown_bytes(free_bytes)} are free"


def _free_bytes(place: Path) -> int | None:
    """The space that this user can still take of a place's file system; None if it is not known."""
    try:
        return shutil.disk_usage(existing(place)).free
    except OSError:
        return None


def _can_have_more_files(place: Path) -> bool:
    """Some file systems have a largest number of files, others have none."""
    found = os.statvfs(existing(place))
    return found.f_favail > 0 or found.f_files == 0


def _temporary() -> dict[str, Path]:
    """The folder of temporary files, by the variable that names it."""
    try:
        return {TEMPORARY: Path(os.environ.get(TEMPORARY) or tempfile.gettempdir())}
    except OSError:
        return {}


def _other(name: str | None) -> str:
    """The end of an advice: another folder, by the flag or the variable."""
    if name is None:
        return ""
    if name.startswith("-"):
        return f", or give another {'path' if name == OUT else 'folder'} with {name}"
    return f", or set {name} to another folder"
