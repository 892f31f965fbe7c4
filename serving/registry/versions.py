"""The numbered folders of one model: complete from the moment they appear, and never changed afterwards."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from serving.bundle.bundle import Bundle, load_bundle
from serving.bundle.manifest import read_manifest
from serving.errors import BundleError, InputError
from serving.files import fsync_path, fsync_tree

# The start of the name of a version that is being copied.
INCOMING = ".incoming-"


def versions(folder: Path) -> list[int]:
    """The numbers of all versions in a model's folder, ascending."""
    return sorted(
        int(entry.name) for entry in folder.iterdir() if re.fullmatch(r"[1-9][0-9]*", entry.name) and entry.is_dir()
    )


def is_intact(path: Path, sha256: str) -> bool:
    """Whether a version exists and every byte is as it was promoted."""
    try:
        load_bundle(path, sha256)
    except BundleError:
        return False
    return True


def add_version(folder: Path, candidate: Bundle, used: Iterable[int]) -> int:
    """Adds a bundle under the next number, or finds the number under which it is already there and intact.

    The version appears in one rename, complete. A damaged version is not repaired, because a process may be reading
    it: the bundle gets the next number. `used` are the numbers that were given before, including those of deleted
    versions: no number is given twice. Raises: BundleError: the copy differs from the candidate.
    """
    numbers = versions(folder)
    for version in numbers:
        if is_intact(folder / str(version), candidate.sha256):
            return version
    version = max((*numbers, *used), default=0) + 1
    _copy_in(candidate, folder / str(version))
    return version


def require_same_dataset(folder: Path, candidate: Bundle) -> None:
    """One model name, one data set. Raises: InputError: the model has versions of another data set."""
    dataset = candidate.manifest.dataset["name"]
    for version in versions(folder):
        try:
            _, manifest, _ = read_manifest(folder / str(version))
        except BundleError:
            # A damaged version does not prevent an intact one.
            continue
        if manifest.dataset["name"] != dataset:
            raise InputError(
                f"{folder} holds a model of {manifest.dataset['name']} (version {version}), but this model was "
                f"trained on {dataset}: run the pipeline again with --model NAME"
            )


def remove_incoming(folder: Path) -> None:
    """Removes the incomplete versions that killed promotions left; only for the process that holds the model's lock."""
    for left in folder.glob(f"{INCOMING}*"):
        shutil.rmtree(left, ignore_errors=True)


def _copy_in(candidate: Bundle, target: Path) -> None:
    staged = target.with_name(f"{INCOMING}{target.name}")
    try:
        staged.mkdir()
        # Not copytree: it collects the errors of all files in a list.
        for source in sorted(candidate.path.rglob("*")):
            copy = staged / source.relative_to(candidate.path)
            copy.mkdir() if source.is_dir() else shutil.copyfile(source, copy)
        load_bundle(staged, candidate.sha256)
        fsync_tree(staged)
        os.rename(staged, target)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    fsync_path(target.parent)
