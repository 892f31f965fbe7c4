"""Bytes of predictions -> a file that appears whole, beside a sidecar; until then a staged file with its journal."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from serving.errors import InputError
from serving.files import CHUNK_BYTES, fsync_folder, sha256_file, write_json
from serving.interrupts import finishing
from serving.journal import Entry, key_line, read_journal
from serving.replaceable import sidecar_of

# What a full disk is called: no space, no quota, a file larger than allowed.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Output:
    """A file of predictions while it is made.

    `differing` has the names of what an earlier process's key, if there is one, has otherwise; `resume` finds them.

    `commit` puts it in place. Leaving without it removes what was staged; but where the process was told to stop, or
    killed, after a block was written, it stays, and `resume` takes it up.
    """

    def __init__(self, target: Path, key: dict[str, Any]) -> None:
        """Opens the staged file and its journal beside the target, and holds them against other processes.

        Args:
            target: where the predictions shall stand.
            key: what they are made of and how; only what has the same key is gone on with.

        Raises:
            InputError: the folder does not exist or may not be written, or another process writes there.
        """
        self.target = target
        self._key = key
        self.differing: list[str] = []
        self._digest = hashlib.sha256()
        # How many images are written, whether it may be that an earlier process wrote some, and whether all is done.
        self._stop, self._earlier, self._committed = 0, False, False
        self._staged_path, self._finished_path, self._sidecar_path, self._journal_path = (
            target.with_name(f".{target.name}.{what}") for what in ("staged", "finished", "sidecar", "journal")
        )
        try:
            self._journal = _held(self._journal_path, target)
            self._earlier = os.fstat(self._journal.fileno()).st_size > 0
            self._staged = self._open_staged()
        except OSError as error:
            raise InputError(
                f"{target} cannot be written: {error.strerror}: give another place with --out FILE"
            ) from error

    def resume(self) -> list[Entry]:
        """Goes on with what an earlier process left here, as far as it is whole.

        Returns:
            The blocks that need not be scored again, the first ones; none where another key was written.
        """
        key, entries = read_journal(self._journal.readall())
        self.differing = sorted(name for name in key | self._key if key and key.get(name) != self._key.get(name))
        whole: list[Entry] = []
        if key == self._key:
            for entry in entries:
                if not self._holds(entry):
                    break
                whole.append(entry)
        self._digest = hashlib.sha256()
        end_bytes = whole[-1].end_bytes if whole else 0
        self._staged.seek(0)
        self._read(end_bytes)
        self._staged.truncate(end_bytes)
        self._journal.truncate(len(key_line(self._key)) + sum(len(entry.line()) for entry in whole))
        self._journal.seek(0, os.SEEK_END)
        self._stop = whole[-1].stop if whole else 0
        return whole

    def begin(self, header: bytes) -> None:
        """Discards what an earlier process left here, and writes what stands before the first block."""
        self._earlier = False
        for file in (self._journal, self._staged):
            file.truncate(0)
            file.seek(0)
        with self._told():
            _write_all(self._journal, key_line(self._key))
        self._append(header)

    def write(self, content: bytes, stop: int, tally: dict[str, Any]) -> None:
        """Adds a block's predictions, and then says in the journal that they are there.

        Raises:
            InputError: the disk is full.
        """
        self._append(content)
        entry = Entry(stop, self._staged.tell(), self._digest.hexdigest(), tally)
        with self._told():
            _write_all(self._journal, entry.line())
        self._stop = stop

    def commit(
        self, facts: dict[str, Any], finish: Callable[[Path, Path], Path], replaced: Callable[[], str | None]
    ) -> None:
        """Flushes the predictions and puts them in place, with the sidecar `<target>.json`.

        Args:
            facts: what the sidecar says besides the predictions' own digest.
            finish: `Format.finish`.
            replaced: refuses to write over what is not ours; says the SHA-256 of what is.

        Raises:
            InputError: the disk is full, or something else stands there meanwhile.
        """
        with self._told():
            made = finish(self._staged_path, self._finished_path)
            _fsync(made)
            digest = self._digest.hexdigest() if made == self._staged_path else sha256_file(made)
            # The sidecar goes first and vouches for what it replaces too: after a crash in between, what stands
            # there is still known to be ours.
            digests = {"output_sha256": digest, "replaces_sha256": replaced()}
            with finishing():
                write_json(self._sidecar_path, {**facts, **digests})
                os.replace(self._sidecar_path, sidecar_of(self.target))
                os.replace(made, self.target)
                fsync_folder(self.target.parent)
                # From here on another process may hold these names.
                self._committed = True
                self._remove()

    def __enter__(self) -> Self:
        """The output itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Removes what was staged, but not an earlier process's blocks, nor those after which this one was stopped."""
        stop = None if isinstance(error, Exception) else error
        try:
            note = ""
            if self._committed:
                note = f"{self.target} is whole"
            elif self._earlier or (stop is not None and self._stop):
                self._finished_path.unlink(missing_ok=True)
                self._sidecar_path.unlink(missing_ok=True)
                note = f"the first {self._stop:,} images are kept: go on with --resume" if self._stop else ""
            else:
                self._remove()
            if stop is not None and note:
                stop.add_note(note)
        finally:
            self._staged.close()
            self._journal.close()

    def _open_staged(self) -> FileIO:
        try:
            return FileIO(os.open(self._staged_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666), "r+b")
        except OSError:
            if not self._earlier:
                self._journal_path.unlink()
            self._journal.close()
            raise

    def _remove(self) -> None:
        # The journal last: while it is there, its lock is, too.
        for path in (self._staged_path, self._finished_path, self._sidecar_path, self._journal_path):
            path.unlink(missing_ok=True)

    def _append(self, content: bytes) -> None:
        self._digest.update(content)
        with self._told():
            _write_all(self._staged, content)

    def _holds(self, entry: Entry) -> bool:
        """Whether the staged file is, up to the entry's end, what the entry says."""
        return self._read(entry.end_bytes) and self._digest.hexdigest() == entry.output_sha256

    def _read(self, end_bytes: int) -> bool:
        """Takes the staged file into the digest, up to there. Returns: whether it is as long."""
        while (missing := end_bytes - self._staged.tell()) > 0:
            content = self._staged.read(min(missing, CHUNK_BYTES))
            if not content:
                return False
            self._digest.update(content)
        return True

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Says where there is no space left."""
        try:
            yield
        except OSError as error:
            if error.errno not in FULL:
                raise
            raise InputError(
                f"{self.target} cannot be written: {error.strerror}: free some space, or give another place with "
                "--out FILE"
            ) from error


def _held(path: Path, target: Path) -> FileIO:
    """Opens a file for this process alone, until it is closed or the process ends."""
    while True:
        file = FileIO(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666), "r+b")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise InputError(
                f"{target} is being written by another process: wait for it, or give another place with --out FILE"
            ) from None
        # It may have been removed, by the process that held it, between the opening and the lock.
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                return file
        file.close()


def _write_all(file: FileIO, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[file.write(view) :]


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
