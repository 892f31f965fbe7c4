"""The numbered folders of one model: complete from the moment they appear, and never changed after."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from serving import bundle
from serving.bundle import Bundle
from serving.errors import BundleError, InputError
from serving.files import fsync_folder, fsync_tree


def versions(folder: Path) -> list[int]:
    """The numbers of all versions that stand in a model's folder, ascending."""
    return sorted(
        int(entry.name) for entry in folder.iterdir() if re.fullmatch(r"[1-9][0-9]*", entry.name) and entry.is_dir()
    )


def is_whole(path: Path, sha256: str) -> bool:
    """Whether a version is there, and every byte as it was promoted."""
    try:
        bundle.load(path, sha256)
    except BundleError:
        return False
    return True


def add_version(folder: Path, candidate: Bundle, used: Iterable[int]) -> int:
    """Gives a bundle its number: the one that it already has, whole, or the next.

    It appears in one rename, complete. A version that was damaged is never mended in place, where somebody may be
    reading it: the next number is taken.

    Args:
        folder: the model's.
        candidate: its files are copied, and checked once more in their new place.
        used: numbers that were given before, also to versions that are gone: none is given twice.

    Raises:
        BundleError: the copy is not what was checked.
    """
    numbers = versions(folder)
    for version in numbers:
        if is_whole(folder / str(version), candidate.sha256):
            return version
    version = max((*numbers, *used), default=0) + 1
    _copy_in(candidate, folder / str(version))
    return version


def require_same_dataset(folder: Path, candidate: Bundle) -> None:
    """One name, one data set. Raises: InputError: the model holds versions of another one."""
    dataset = candidate.manifest.dataset["name"]
    for version in versions(folder):
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
