"""runs/artifacts: the outputs of steps, found by their keys; an artifact appears only when it is complete."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from components.artifacts.artifact import UNDIGESTED
from pipeline.engine.file_digests import digest_of
from pipeline.engine.folders import RECORD, move, remove
from pipeline.engine.step import Parts
from serving.codec import FormatError, read, to_json
from serving.errors import BeamlineError
from serving.files import canonical_json, fsync_path, fsync_tree, is_at, raise_unless_gone, write_json
from serving.interrupts import defer_interrupts
from serving.locks import lock, locked

PAYLOAD = "payload"
# A component finds these files again after an interruption; they are not a part of its output.
CHECKPOINTS = "checkpoints"


@dataclass(frozen=True)
class Stored:
    """A committed artifact.

    Attributes:
        name: name of its folder in the store.
        payload: the folder of its files.
        sha256: the digest of its content: names and bytes of its files.
        files: SHA-256 by file, at the commit.
        parts: what its key was computed from, see `pipeline.engine.step.Parts`.
    """

    name: str
    payload: Path
    sha256: str
    files: Mapping[str, str]
    parts: Parts

    def damage(self) -> str | None:
        """What changed since the commit, in a few words; None if nothing did. Reads every byte, see `digest_of`."""
        now = _digests(self.payload)
        for name in sorted(now.keys() | self.files.keys()):
            if now.get(name) != self.files.get(name):
                what = "is missing" if name not in now else "was added" if name not in self.files else "was changed"
                return f"{name} {what}"
        return None


class _Record(NamedTuple):
    """The file record.json, which makes a folder an artifact."""

    step: str
    key: str
    sha256: str
    files: dict[str, str]
    parts: dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Store:
    """The folder runs/, which the first write creates. Several runs can use it at the same time."""

    root: Path

    def shared(self) -> AbstractContextManager[None]:
        """Takes a shared lock: while it is held, `exclusive()` raises BeamlineError.

        Takes no lock if the folder does not exist yet.
        """
        return self._locked(fcntl.LOCK_SH)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Takes the exclusive lock. Raises: BeamlineError: another command uses the folder."""
        try:
            with self._locked(fcntl.LOCK_EX | fcntl.LOCK_NB):
                yield
        except BlockingIOError:
            raise BeamlineError(
                f"another command is using {self.root}: nothing was done, try again when it has ended"
            ) from None

    def _locked(self, mode: int) -> AbstractContextManager[None]:
        return locked(self.root, mode) if self.root.is_dir() else nullcontext()

    def artifact_folder(self, name: str) -> Path:
        """The folder of an artifact, by its name; it may not exist."""
        return self.root / "artifacts" / name

    def payload(self, name: str) -> Path:
        """The folder of an artifact's files."""
        return self.artifact_folder(name) / PAYLOAD

    def by_key(self, step: str, key: str) -> Stored | None:
        """The artifact of a step under this key; None if the record is missing or incomplete."""
        return self.by_name(_name(step, key), key)

    def by_name(self, name: str, key: str | None = None) -> Stored | None:
        """The artifact with this name; None if the record is missing, incomplete, or of another step or key."""
        folder = self.artifact_folder(name)
        try:
            record = read(_Record, folder / RECORD)
        except (FileNotFoundError, NotADirectoryError, FormatError):
            return None
        if name != _name(record.step, record.key) or key not in (None, record.key):
            return None
        return Stored(name, folder / PAYLOAD, record.sha256, record.files, record.parts)

    def damage(self, name: str) -> str | None:
        """Why the artifact with this name must not be read; None if it is unchanged. See `Stored.damage`."""
        stored = self.by_name(name)
        return "its record is gone" if stored is None else stored.damage()

    @contextmanager
    def staging(self, step: str, key: str) -> Iterator[Path]:
        """Gives a step the only folder that it writes to.

        Waits while another process has it for the same step and key. It is empty except for `checkpoints/` of an
        interrupted attempt. Leaving without `commit` deletes all files except these: the next attempt finds them.
        """
        staged = self._staged(step, key)
        with _locked_folder(staged) as descriptor:
            out = staged / PAYLOAD
            out.mkdir(exist_ok=True)
            _delete_except(out / CHECKPOINTS, [*staged.iterdir(), *out.iterdir()])
            try:
                yield out
            finally:
                # What cannot be deleted now is deleted by the next attempt; it must not hide this one's error.
                with defer_interrupts(), suppress(OSError):
                    # After a commit, another process may have made a folder of this name: it is not the locked one.
                    if is_at(descriptor, staged):
                        _discard(staged, out / CHECKPOINTS)

    def commit(self, step: str, key: str, key_parts: Parts) -> Stored:
        """Flushes the files, writes the record last and renames the folder into place.

        Keeps an intact artifact of the same content; replaces any other.
        """
        staged = self._staged(step, key)
        target = self.artifact_folder(_name(step, key))
        files = _digests(staged / PAYLOAD)
        sha256 = hashlib.sha256(canonical_json(files).encode()).hexdigest()
        fsync_tree(staged)
        found = self.by_name(target.name, key)
        same = found is not None and found.sha256 == sha256 and found.damage() is None
        # The slow part is done. From here on an interruption waits, so that no step is half done.
        with defer_interrupts():
            shutil.rmtree(staged / PAYLOAD / CHECKPOINTS, ignore_errors=True)
            if found is not None and same:
                # Same content: keep the old folder, which another run may be reading.
                return found
            record = {"step": step, "key": key, "sha256": sha256, "files": files, "parts": to_json(key_parts)}
            write_json(staged / RECORD, record)
            fsync_path(staged)
            target.parent.mkdir(exist_ok=True)
            # If the machine stops before the move, the old folder has no record and is not an artifact.
            if target.is_dir():
                remove(target)
            move(staged, target)
            fsync_path(target.parent)
        return Stored(target.name, target / PAYLOAD, sha256, files, key_parts)

    def _staged(self, step: str, key: str) -> Path:
        return self.root / ".staging" / f"{step}-{key}"


def _name(step: str, key: str) -> str:
    return f"{step}-{key[:12]}"


@contextmanager
def _locked_folder(folder: Path) -> Iterator[int]:
    """Creates and locks a folder, and yields its descriptor; retries if the previous owner moved it away."""
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            continue
        try:
            lock(descriptor, folder)
            if is_at(descriptor, folder):
                yield descriptor
                return
        finally:
            os.close(descriptor)


def _discard(staged: Path, checkpoints: Path) -> None:
    """Deletes a staged folder, or all but its checkpoints."""
    if checkpoints.exists():
        _delete_except(checkpoints, [*staged.iterdir(), *checkpoints.parent.iterdir()])
    else:
        shutil.rmtree(staged, ignore_errors=True)


def _delete_except(kept: Path, entries: list[Path]) -> None:
    """Deletes files and folders, except `kept` and the folder that contains it."""
    for entry in entries:
        if entry not in (kept, kept.parent):
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


def _digests(root: Path) -> dict[str, str]:
    """SHA-256 of every file by its path, except checkpoints and measurements, which differ each time."""
    checkpoints, measurements = root / CHECKPOINTS, root / UNDIGESTED
    found = [Path(folder, name) for folder, _, names in os.walk(root, onerror=raise_unless_gone) for name in names]
    files = sorted(f for f in found if f.is_file() and f != measurements and not f.is_relative_to(checkpoints))
    return {file.relative_to(root).as_posix(): digest_of(file) for file in files}
