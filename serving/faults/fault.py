"""An exception -> the failure of the machine that it reports: a full disk, a lost file system, a missing permission."""

from __future__ import annotations

import errno
import io
import os
import re
import shutil
import traceback
from dataclasses import dataclass, replace
from pathlib import Path

# The disk is full: no space, or no quota.
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
# What the system answers to a call that has an open file, not a name. Errors of connections are not among them.
OF_OPEN_FILES = FULL | {
    *(errno.EFBIG, errno.EIO, errno.EROFS, errno.EACCES, errno.EPERM, errno.EMFILE, errno.ENFILE, errno.ENOMEM),
    *(errno.ESTALE, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.ENOLCK, errno.ENODEV),
}
# What the machine answers for any file: it tells nothing about this one, and the same call may succeed later.
OF_THE_MACHINE = FULL | {
    *(errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ESTALE, errno.ETIMEDOUT, errno.ENOTCONN),
    *(errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ENODEV, errno.ENXIO, errno.EINTR, errno.EAGAIN),
}
# The words of the system that TensorFlow writes after the name of a file.
_SYSTEM = (*sorted(FULL), errno.EFBIG, errno.EIO, errno.EROFS, errno.EACCES, errno.EMFILE)
_WORDS = {os.strerror(number): number for number in _SYSTEM}
# Words that have no other meaning, wherever they are: of the system, SQLite, TensorFlow and onnxruntime.
_PLAIN_WORDS = {os.strerror(number): number for number in (*sorted(FULL), errno.ENOMEM)} | {
    "database or disk is full": errno.ENOSPC,
    "disk I/O error": errno.EIO,
    "attempt to write a readonly database": errno.EROFS,
    "OOM when allocating": errno.ENOMEM,
    "bad allocation": errno.ENOMEM,
    "bad_alloc": errno.ENOMEM,
}
# TensorFlow: `{{function_node …}} /folder/file; No space left on device [Op:SaveV2]`, TensorFlow Datasets:
# `Failed to finalize writing of split "train": /folder/file; No space left on device`.
_AFTER_FILE = re.compile(rf"(?P<file>(?:(?!: )[^;{{}}\n])+); (?P<word>{'|'.join(map(re.escape, _WORDS))})")
# Python, in the message of another exception: `[Errno 28] No space left on device: '/from' -> '/to'`.
_PRINTED = re.compile(r"\[[Ee]rrno (?P<number>\d+)\](?: [^:'\n]*: '(?P<file>[^'\n]+)'(?: -> '(?P<to>[^'\n]+)')?)?")
# NumPy does not give the reason why less was written.
_SHORT = re.compile(r"\d+ requested and \d+ written")
# Largest number of causes of an exception that are looked at.
MAX_CAUSES = 8
_FILES = (io.BufferedWriter, io.BufferedRandom, io.FileIO, io.TextIOWrapper, io.BufferedReader)


@dataclass(frozen=True)
class Fault:
    """A failure of the machine.

    Attributes:
        number: the system's error, as in `errno`.
        file: the file or folder; None if it is not known.
        needed_bytes: the size of all that was to be written there; 0 if it is not known.
    """

    number: int
    file: Path | None = None
    needed_bytes: int = 0

    @property
    def cause(self) -> str:
        """The system's words."""
        return os.strerror(self.number)

    def parts(self) -> list[str]:
        """The system's words, and the file if it is known."""
        return [self.cause, *([] if self.file is None else [str(self.file)])]


def fault_of(error: BaseException) -> Fault | None:
    """The failure of the machine that an exception reports, itself or as its cause; None if it reports something else.

    Libraries report it in several ways: as a list of files, in the text of an exception of their own, without a file.
    """
    reported: BaseException | None = error
    for _ in range(MAX_CAUSES):
        if reported is None:
            break
        if (found := _reported(reported)) is not None:
            return replace(found, file=found.file or _open_file(reported))
        reported = reported.__cause__
    return None


def _reported(error: BaseException) -> Fault | None:
    """What an exception reports by itself, with the file if it names one."""
    if isinstance(error, MemoryError):
        return Fault(errno.ENOMEM)
    if isinstance(error, shutil.Error) and error.args and isinstance(error.args[0], list):
        return _of_copies(error.args[0])
    # Other libraries have numbers of their own: an error of TLS can have the number 1.
    if isinstance(error, OSError) and (number := error.errno) is not None and error.strerror == os.strerror(number):
        named = error.filename if error.filename2 is None else error.filename2
        if isinstance(named, str | bytes):
            return Fault(number, Path(os.fsdecode(named)))
        return Fault(number) if number in OF_OPEN_FILES else None
    return _printed(str(error))


def _of_copies(copies: list[tuple[str, str, str]]) -> Fault | None:
    """The failure of a copied folder: a full disk, if one of the files found it; and the size of the whole folder."""
    failed = [(_printed(str(reason)), Path(source), Path(target)) for source, target, reason in copies]
    known = [(fault, target) for fault, _, target in failed if fault is not None]
    if not known:
        return None
    fault, target = min(known, key=lambda pair: pair[0].number not in FULL)
    _, source, copied = failed[0]
    while source.name == copied.name:
        source, copied = source.parent, copied.parent
    needed_bytes = sum(file.stat().st_size for file in source.rglob("*") if file.is_file())
    return Fault(fault.number, fault.file or target, needed_bytes)


def _printed(text: str) -> Fault | None:
    """The system's error in the text of an exception."""
    if (found := _AFTER_FILE.search(text)) is not None:
        return Fault(_WORDS[found["word"]], Path(found["file"].strip()))
    if (found := _PRINTED.search(text)) is not None and int(found["number"]) in OF_OPEN_FILES:
        file = found["to"] or found["file"]
        return Fault(int(found["number"]), None if file is None else Path(file))
    number = next((number for word, number in _PLAIN_WORDS.items() if word in text), None)
    if number is not None:
        return Fault(number)
    return Fault(errno.ENOSPC) if _SHORT.fullmatch(text) else None


def _open_file(error: BaseException) -> Path | None:
    """The file that the innermost function has open: the system names no file when a write or a read fails."""
    for frame, _ in reversed([*traceback.walk_tb(error.__traceback__)]):
        opened = [value for value in frame.f_locals.values() if isinstance(value, _FILES)]
        # A function that copies has its source open too.
        for file in sorted(opened, key=lambda value: _FILES.index(type(value)) if type(value) in _FILES else 0):
            if isinstance(file.name, str | os.PathLike) and not str(file.name).startswith("<"):
                return Path(file.name)
    return None
