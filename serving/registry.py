"""models/: numbered versions of a model, and the one file that says which of them serves."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from serving import bundle
from serving.bundle import Bundle
from serving.errors import BundleError, InputError
from serving.files import fsync_folder, fsync_tree, replace_json

POINTER = "promoted.json"


@dataclass(frozen=True)
class Promoted:
    """The version of a model that serves.

    Attributes:
        version: 1, 2, …; the name of its folder.
        sha256: the bundle's digest, which the folder must still have when it is loaded.
        run: the run that promoted it.
    """

    model: str
    version: int
    sha256: str
    run: str
    path: Path

    def load(self) -> Bundle:
        """The bundle, every file checked. Raises: BundleError."""
        return bundle.load(self.path, self.sha256)


@dataclass(frozen=True)
class Registry:
    """The folder models/, which is a TensorFlow Serving base path and a Triton repository too."""

    root: Path

    def models(self) -> list[str]:
        """Names of the models that have a promoted version, sorted."""
        return sorted(pointer.parent.name for pointer in self.root.glob(f"*/{POINTER}"))

    def promoted(self, model: str) -> Promoted | None:
        """The version that serves, or None when nothing was promoted yet.

        The pointer is read once: whoever resolved it stays with what it resolved.

        Raises:
            BundleError: the pointer is damaged.
        """
        pointer = self.root / model / POINTER
        try:
            said = json.loads(pointer.read_text(encoding="utf-8"))
            version, sha256, run = said["version"], said["sha256"], said["run"]
            if (type(version), type(sha256), type(run)) != (int, str, str):
                raise TypeError("version, sha256 or run is of another type")
            return Promoted(model, version, sha256, run, self.root / model / str(version))
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise BundleError(f"{pointer} is damaged ({error!r}): promote the model again") from error

    def serving(self, model: str, sha256: str) -> Promoted | None:
        """The version that serves, if it is the bundle with this digest and still whole; else there is work to do."""
        try:
            now = self.promoted(model)
        except BundleError:
            return None
        return now if now is not None and now.sha256 == sha256 and _is_whole(now.path, sha256) else None

    def publish(self, candidate: Bundle, model: str, run: str) -> Promoted:
        """Makes a bundle the version that serves: the next number, or the one that it already has.

        The version appears in one rename, complete; then the pointer moves in one rename. A crash in
        between leaves a version that nobody serves, and the next call finds it by its digest. A version
        that was damaged is never mended in place, where somebody may be reading it: the next number is.

        Args:
            candidate: the bundle to serve; its files are copied, and checked once more in their new place.
            model: the model's name, a plain folder name.
            run: the run that asked for it.

        Raises:
            InputError: the model's name is no plain name, or it holds versions of another data set.
            BundleError: the copy is not what was checked.
        """
        require_plain_name(model)
        with self._locked(model) as folder:
            now = self.serving(model, candidate.sha256)
            if now is not None:
                return now
            _require_same_dataset(folder, candidate)
            version = _version_of(folder, candidate.sha256)
            if version is None:
                version = max(_versions(folder), default=0) + 1
                _copy_in(candidate, folder / str(version))
            replace_json(folder / POINTER, {"version": version, "sha256": candidate.sha256, "run": run})
        return Promoted(model, version, candidate.sha256, run, folder / str(version))

    @contextmanager
    def _locked(self, model: str) -> Iterator[Path]:
        folder = self.root / model
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield folder


def require_plain_name(model: str) -> None:
    """Refuses a model name that is no plain folder name. Raises: InputError."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", model):
        raise InputError(
            f"--model {model!r} is no model name: use letters, digits, '_', '-' and '.', a letter or digit first"
        )


def _require_same_dataset(folder: Path, candidate: Bundle) -> None:
    dataset = candidate.manifest.dataset["name"]
    for version in _versions(folder):
        try:
            held = json.loads((folder / str(version) / bundle.MANIFEST).read_text(encoding="utf-8"))["dataset"]["name"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            # A damaged version says nothing, and is no reason to refuse a whole one.
            continue
        if held != dataset:
            raise InputError(
                f"{folder} holds version {version} of {held}, this one was trained on {dataset}: "
                "give it another name with --model NAME"
            )


def _version_of(folder: Path, sha256: str) -> int | None:
    """One digest, one version: the number under which this bundle already stands, whole."""
    return next((version for version in _versions(folder) if _is_whole(folder / str(version), sha256)), None)


def _is_whole(path: Path, sha256: str) -> bool:
    try:
        bundle.load(path, sha256)
    except BundleError:
        return False
    return True


def _versions(folder: Path) -> list[int]:
    return sorted(
        int(entry.name) for entry in folder.iterdir() if re.fullmatch(r"[1-9][0-9]*", entry.name) and entry.is_dir()
    )


def _copy_in(candidate: Bundle, target: Path) -> None:
    staged = target.with_name(f".incoming-{target.name}")
    shutil.rmtree(staged, ignore_errors=True)
    try:
        shutil.copytree(candidate.path, staged, copy_function=shutil.copyfile)
        bundle.load(staged, candidate.sha256)
        fsync_tree(staged)
        os.rename(staged, target)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    fsync_folder(target.parent)
