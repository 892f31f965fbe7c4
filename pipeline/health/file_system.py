"""A folder -> findings: what a run does with files there, tried on temporary files."""

from __future__ import annotations

import fcntl
import mmap
import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path

from pipeline.health.finding import Finding
from serving.faults.wording import existing
from serving.files import fsync_tree, replace_text
from serving.locks import no_locks_message

SUBJECT = "files"
OTHER = "give a folder on another file system"

# Takes the folder of a flag and an empty folder in it. Returns: what does not work; None if it works.
Attempt = Callable[[Path, Path], Finding | None]


def file_system_findings(flag: str, folder: Path, attempts: Mapping[str, Attempt]) -> Iterator[Finding]:
    """Makes each attempt, by its name, in the folder of a flag, or in its nearest parent that exists."""
    works = []
    for name, attempt in attempts.items():
        with tempfile.TemporaryDirectory(prefix=".doctor.", dir=existing(folder)) as empty:
            found = attempt(folder, Path(empty))
        if found is None:
            works.append(name)
        else:
            yield Finding(found.state, found.subject, f"{flag} {found.message}")
    if works:
        yield Finding("ok", SUBJECT, f"{flag} {folder}: {', '.join(works)} work")


def _replace(folder: Path, empty: Path) -> Finding | None:
    """A version or an artifact appears by the rename of a folder, a pointer by that of a file; both are flushed."""
    staged, target = empty / "staged", empty / "target"
    try:
        staged.mkdir()
        for text in ("old", "new"):
            replace_text(staged / "file", text)
        fsync_tree(staged)
        os.rename(staged, target)
    except OSError as error:
        return Finding("fix", SUBJECT, f"{folder}: files and folders cannot be replaced ({error.strerror}): {OTHER}")
    return None


def _map_memory(folder: Path, empty: Path) -> Finding | None:
    """Steps map the images into memory."""
    file = empty / "block"
    file.write_bytes(b"pixels")
    try:
        with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            mapped.read()
    except OSError as error:
        message = f"{folder}: files cannot be mapped into memory ({error.strerror}): whole blocks of images are read"
        return Finding("note", SUBJECT, f"{message}, which takes more memory")
    return None


def _flush(folder: Path, empty: Path) -> Finding | None:
    """A new name is safe when its folder is flushed; `serving.files` goes on if that is not possible."""
    descriptor = os.open(empty, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        message = f"{folder}: folders cannot be flushed ({error.strerror}): a power failure can undo the newest change"
        return Finding("note", SUBJECT, message)
    finally:
        os.close(descriptor)
    return None


def _lock(folder: Path, empty: Path) -> Finding | None:
    """A second owner must be refused while the first one has the lock."""
    cause = "two processes can have the same one"
    with (empty / "lock").open("w") as first, (empty / "lock").open("w") as second:
        try:
            fcntl.flock(first, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return None
        except OSError as error:
            cause = str(error.strerror)
    return Finding("note", SUBJECT, f"{folder}: {no_locks_message(folder, cause)}")


def _link(folder: Path, empty: Path) -> Finding | None:
    """The record of a run gets its number by a link, and the pictures of its report are linked."""
    (empty / "file").touch()
    try:
        os.link(empty / "file", empty / "link")
    except OSError as error:
        message = f"{folder} has no hard links ({error.strerror}): pictures are copied, and while a run begins, `runs`"
        return Finding("note", SUBJECT, f"{message} may find its record incomplete")
    return None


def _open_database(folder: Path, empty: Path) -> Finding | None:
    """`tune` keeps its trials in SQLite, whose locks are of another kind."""
    try:
        with closing(sqlite3.connect(empty / "study.db")) as database, database:
            database.execute("CREATE TABLE trials (number INTEGER)")
    except sqlite3.Error as error:
        return Finding("note", SUBJECT, f"{folder}: SQLite does not work ({error}): for `tune`, {OTHER}")
    return None


# What the registry does in --models, and the store and the other files in --runs.
IN_MODELS: Mapping[str, Attempt] = {"replacing files and folders": _replace, "flushing folders": _flush, "locks": _lock}
IN_RUNS: Mapping[str, Attempt] = {
    **IN_MODELS,
    "memory maps": _map_memory,
    "hard links": _link,
    "SQLite": _open_database,
}
