"""Bytes of predictions -> a complete file with a sidecar; until the commit, a staged file with a journal."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from itertools import takewhile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from serving.batch.journal import Entry, journal_line, read_journal
from serving.batch.replaceable import sidecar_of
from serving.errors import BeamlineError, InputError
from serving.files import CHUNK_BYTES, fsync_path, sha256_file, write_json
from serving.interrupts import defer_interrupts
from serving.locks import lock
from serving.out_path import write_error

# The disk is full: no space, no quota, or a file larger than allowed.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Output:
    """A file of predictions that is being written.

    `commit` puts it in place. Without a commit, leaving the context removes the staged file. If the process is
    stopped or killed after a block was written, the staged file stays, and `resume` continues with it.

    Attributes:
        target: the path of the predictions.
        changed_dependencies: the names of the dependencies that differ from those of the earlier process; set by
            `resume`.
    """

    def __init__(self, target: Path, dependencies: dict[str, Any]) -> None:
        """Opens the staged file and its journal beside the target, and locks them.

        An earlier output is resumed only if its `dependencies` are equal: everything that the predictions depend on.

        Raises:
            InputError: the folder does not exist or is not writable, or another process writes this output.
            BeamlineError: the disk fails.
        """
        self.target = target
        self._dependencies = dependencies
        self.changed_dependencies: list[str] = []
        self._digest = hashlib.sha256()
        # Images written so far, whether an earlier process may have left some, and whether the commit is done.
        self._images_written, self._may_have_earlier_blocks, self._committed = 0, False, False
        self._staged_path, self._finished_path, self._sidecar_path, self._journal_path = (
            target.with_name(f".{target.name}.{kind}") for kind in ("staged", "finished", "sidecar", "journal")
        )
        try:
            self._journal = _open_locked(self._journal_path, target)
            self._may_have_earlier_blocks = os.fstat(self._journal.fileno()).st_size > 0
            self._staged = self._open_staged()
        except OSError as error:
            raise write_error(target, error) from error

    def resume(self) -> list[Entry]:
        """Returns the intact first blocks of an earlier process, to continue with; none if a dependency differs."""
        with self._named_errors():
            return self._resume()

    def _resume(self) -> list[Entry]:
        earlier, entries = read_journal(self._journal.readall())
        names = sorted(earlier | self._dependencies) if earlier else []
        self.changed_dependencies = [name for name in names if earlier.get(name) != self._dependencies.get(name)]
        intact = list(takewhile(self._matches, entries)) if earlier == self._dependencies else []
        self._digest = hashlib.sha256()
        end_bytes = intact[-1].end_bytes if intact else 0
        self._staged.seek(0)
        self._hash_up_to(end_bytes)
        self._staged.truncate(end_bytes)
        entry_bytes = sum(len(journal_line(entry)) for entry in intact)
        self._journal.truncate(len(journal_line(self._dependencies)) + entry_bytes)
        self._journal.seek(0, os.SEEK_END)
        self._images_written = intact[-1].stop if intact else 0
        return intact

    def begin(self, header: bytes) -> None:
        """Discards an earlier process's work, and writes the bytes before the first block."""
        self._may_have_earlier_blocks = False
        with self._named_errors():
            for file in (self._journal, self._staged):
                file.truncate(0)
                file.seek(0)
            _write_all(self._journal, journal_line(self._dependencies))
        self._append(header)

    def write(self, content: bytes, stop: int, counts: dict[str, Any]) -> None:
        """Appends a block's predictions, then records the block in the journal, as `Entry` describes it.

        Raises: InputError: the disk is full. BeamlineError: another failure of the disk.
        """
        self._append(content)
        entry = Entry(stop, self._staged.tell(), self._digest.hexdigest(), counts)
        with self._named_errors():
            _write_all(self._journal, journal_line(entry))
        self._images_written = stop

    def commit(
        self,
        metadata: dict[str, Any],
        finish: Callable[[Path, Path], Path],
        digest_of_replaced: Callable[[], str | None],
    ) -> None:
        """Flushes the predictions and puts them in place, with the sidecar `<target>.json`.

        Args:
            metadata: the content of the sidecar, except the digests.
            finish: `Format.finish`: takes the staged path and a free path, and returns the one that holds the complete
                file.
            digest_of_replaced: returns the SHA-256 of the output that is replaced, None if there is none; raises if
                the target must not be replaced.

        Raises:
            InputError: the disk is full, or the target was replaced by another file meanwhile.
            BeamlineError: another failure of the disk; the message says whether the predictions are in place.
        """
        with self._named_errors():
            finished = finish(self._staged_path, self._finished_path)
            fsync_path(finished)
            digest = self._digest.hexdigest() if finished == self._staged_path else sha256_file(finished)
            # The sidecar is renamed first, and names the replaced output too: after a crash between the two renames,
            # the old output is still recognised as ours.
            digests = {"output_sha256": digest, "replaces_sha256": digest_of_replaced()}
            with defer_interrupts():
                write_json(self._sidecar_path, {**metadata, **digests})
                os.replace(self._sidecar_path, sidecar_of(self.target))
                os.replace(finished, self.target)
                self._committed = True
                fsync_path(self.target.parent)
                # Another process may take these names as soon as the journal is removed.
                self._remove()

    def __enter__(self) -> Self:
        """The output itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Removes the staged file, unless it holds an earlier process's blocks or this one was stopped."""
        interruption = None if isinstance(error, Exception) else error
        try:
            note = ""
            if self._committed:
                note = f"{self.target} is complete"
            elif self._may_have_earlier_blocks or (interruption is not None and self._images_written):
                with suppress(OSError):
                    self._finished_path.unlink(missing_ok=True)
                    self._sidecar_path.unlink(missing_ok=True)
                if self._images_written:
                    note = (
                        f"the predictions of the first {self._images_written:,} images are kept: continue with --resume"
                    )
            else:
                # What cannot be removed is removed by the next run; it must not hide the error.
                with suppress(OSError):
                    self._remove()
            if interruption is not None and note:
                interruption.add_note(note)
        finally:
            self._staged.close()
            self._journal.close()

    def _open_staged(self) -> FileIO:
        try:
            return FileIO(os.open(self._staged_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666), "r+b")
        except OSError:
            if not self._may_have_earlier_blocks:
                with suppress(OSError):
                    self._journal_path.unlink()
            self._journal.close()
            raise

    def _remove(self) -> None:
        # The journal last: it holds the lock.
        for path in (self._staged_path, self._finished_path, self._sidecar_path, self._journal_path):
            path.unlink(missing_ok=True)

    def _append(self, content: bytes) -> None:
        self._digest.update(content)
        with self._named_errors():
            _write_all(self._staged, content)

    def _matches(self, entry: Entry) -> bool:
        """Whether the staged file has the entry's digest up to the entry's end."""
        return self._hash_up_to(entry.end_bytes) and self._digest.hexdigest() == entry.output_sha256

    def _hash_up_to(self, end_bytes: int) -> bool:
        """Adds the staged file's bytes up to this position to the digest. Returns: False if the file is shorter."""
        while (missing := end_bytes - self._staged.tell()) > 0:
            content = self._staged.read(min(missing, CHUNK_BYTES))
            if not content:
                return False
            self._digest.update(content)
        return True

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        """Turns an OSError into an error that names the output and says whether it is in place."""
        try:
            yield
        except OSError as error:
            if self._committed:
                raise BeamlineError(
                    f"{self.target} is complete, but {error.filename2 or error.filename}: {error.strerror}: check the "
                    "disk, then run the command again"
                ) from error
            if error.errno in FULL:
                raise write_error(self.target, error) from error
            problem = f"--out {self.target} cannot be written: {error.strerror}"
            raise BeamlineError(
                f"{problem}; no predictions were written: check the disk, or give another path"
            ) from error


def _open_locked(path: Path, target: Path) -> FileIO:
    """Opens a file and locks it until it is closed or the process ends."""
    while True:
        file = FileIO(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666), "r+b")
        try:
            lock(file.fileno(), path, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise InputError(
                f"--out {target} is being written by another process: wait for it, or give another path"
            ) from None
        # The process that held the lock may have removed the file before we took it.
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                return file
        file.close()


def _write_all(file: FileIO, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[file.write(view) :]
