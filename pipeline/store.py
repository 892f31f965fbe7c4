"""runs/artifacts: what steps made, found by key, and there only when it is whole."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from components.artifacts.artifact import UNDIGESTED
from pipeline.step import Parts
from serving.errors import BeamlineError
from serving.files import canonical_json, fsync_folder, fsync_tree, sha256_file, write_json
from serving.interrupts import finishing
from serving.locks import locked

RECORD = "record.json"
PAYLOAD = "payload"
# What a component keeps here while it works is handed back after an interruption, and is no part of its output.
CHECKPOINTS = "checkpoints"


@dataclass(frozen=True)
class Stored:
    """A committed artifact.

    Attributes:
        folder: name of its folder in the store.
        path: where its files are.
        sha256: the digest of its content: names and bytes of its files.
        files: SHA-256 by file, as it was committed.
        parts: what it was made from, as the step's identity has it.
    """

    folder: str
    path: Path
    sha256: str
    files: dict[str, str]
    parts: Parts

    def damage(self) -> str | None:
        """What is no longer as it was committed, in a few words; None where all is. Reads every byte."""
        now = _digests(self.path)
        for name in sorted(now.keys() | self.files.keys()):
            if now.get(name) != self.files.get(name):
                what = "is missing" if name not in now else "was added" if name not in self.files else "was changed"
                return f"{name} {what}"
        return None


@dataclass(frozen=True)
class Store:
    """A folder runs/. Two runs may use it at once.

    Attributes:
        root: the folder; made when something is first written.
    """

    root: Path

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Keeps `alone` away while a run reads and writes; waits for one that is at work.

        Where there is no folder yet there is nothing to keep, and nothing is made.
        """
        with self._locked(fcntl.LOCK_SH):
            yield

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Has the folder to itself. Raises: BeamlineError: a run is going on."""
        try:
            with self._locked(fcntl.LOCK_EX | fcntl.LOCK_NB):
                yield
        except BlockingIOError:
            raise BeamlineError(
                f"a run is going on in {self.root}: nothing was done, try again when it has ended"
            ) from None

    @contextmanager
    def _locked(self, how: int) -> Iterator[None]:
        with locked(self.root, how) if self.root.is_dir() else nullcontext():
            yield

    def find(self, step: str, key: str) -> Stored | None:
        """The artifact that a step made under this key; a folder without a record never happened."""
        return self.stored(self.root / "artifacts" / self._folder(step, key), key)

    def stored(self, folder: Path, key: str | None = None) -> Stored | None:
        """The artifact in a folder; None where there is no whole record, or one of another step or key."""
        try:
            record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
            if folder.name != self._folder(record["step"], record["key"]) or key not in (None, record["key"]):
                return None
            return Stored(folder.name, folder / PAYLOAD, record["sha256"], dict(record["files"]), dict(record["parts"]))
        except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError, RecursionError):
            return None

    @contextmanager
    def staging(self, step: str, key: str) -> Iterator[Path]:
        """Gives a step the one folder that it may write, locked against another run that makes the same.

        It is empty but for `checkpoints/`, where an interrupted attempt left one. Leaving without `commit`
        removes everything but these: the next attempt finds them there.
        """
        staged = self._staged(step, key)
        with _locked_folder(staged):
            out = staged / PAYLOAD
            out.mkdir(exist_ok=True)
            _empty_but_for(out / CHECKPOINTS, [*staged.iterdir(), *out.iterdir()])
            try:
                yield out
            finally:
                with finishing():
                    if (out / CHECKPOINTS).exists():
                        _empty_but_for(out / CHECKPOINTS, [*staged.iterdir(), *out.iterdir()])
                    else:
                        shutil.rmtree(staged, ignore_errors=True)

    def commit(self, step: str, key: str, parts: Parts) -> Stored:
        """Makes what was staged an artifact: flushed, the record last, then one rename.

        Args:
            step: the step's name.
            key: under which it will be found.
            parts: what the key was made from, to be told when another key is wanted.

        Returns:
            What is stored under the key now, as it will be found from now on.
        """
        staged = self._staged(step, key)
        target = self.root / "artifacts" / self._folder(step, key)
        files = _digests(staged / PAYLOAD)
        sha256 = hashlib.sha256(canonical_json(files).encode()).hexdigest()
        fsync_tree(staged)
        found = self.stored(target, key)
        same = found is not None and found.sha256 == sha256 and found.damage() is None
        # What takes long is done: from here on a stop waits, so that nothing is left between two states.
        with finishing():
            shutil.rmtree(staged / PAYLOAD / CHECKPOINTS, ignore_errors=True)
            if found is not None and same:
                # Made anew, and the same: another run may be reading what stands there.
                return found
            record = {"step": step, "key": key, "sha256": sha256, "files": files, "parts": parts}
            write_json(staged / RECORD, record)
            fsync_folder(staged)
            target.parent.mkdir(exist_ok=True)
            # Without its record it is no artifact any more, should the machine stop here.
            (target / RECORD).unlink(missing_ok=True)
            shutil.rmtree(target, ignore_errors=True)
            os.replace(staged, target)
            fsync_folder(target.parent)
        return Stored(target.name, target / PAYLOAD, sha256, files, parts)

    def _staged(self, step: str, key: str) -> Path:
        return self.root / ".staging" / f"{step}-{key}"

    def _folder(self, step: str, key: str) -> str:
        return f"{step}-{key[:12]}"


@contextmanager
def _locked_folder(folder: Path) -> Iterator[None]:
    """Makes and locks a folder. Whoever held the lock may have moved it away: then a new one is made."""
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if folder.is_dir() and os.path.samestat(os.fstat(descriptor), folder.stat()):
                yield
                return
        finally:
            os.close(descriptor)


def _empty_but_for(kept: Path, entries: list[Path]) -> None:
    for entry in entries:
        if entry not in (kept, kept.parent):
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


def _digests(root: Path) -> dict[str, str]:
    """SHA-256 of every file by its path, but of what is kept for another attempt, and of what differs each time."""
    kept, differs = root / CHECKPOINTS, root / UNDIGESTED
    files = sorted(f for f in root.rglob("*") if f.is_file() and f != differs and not f.is_relative_to(kept))
    return {file.relative_to(root).as_posix(): sha256_file(file) for file in files}
