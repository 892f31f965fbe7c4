"""models/<model> -> Reference: what the version that serves now was trained on."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from components.artifacts.reference import SCHEMA, Reference
from serving.bundle import MANIFEST
from serving.errors import BundleError
from serving.registry import Registry


class NoReferenceError(Exception):
    """There is a champion, and nobody can say what it was trained on; the message says why, and names no place."""


def champion_reference(folder: Path) -> Reference | None:
    """What the champion was trained on; None where there is no champion.

    Only the reference is held against the bundle's digest: whether the rest is whole, promote finds out.

    Args:
        folder: the model's, in the registry.

    Raises:
        NoReferenceError: the pointer or the reference is damaged, or the bundle was made without one.
    """
    try:
        champion = Registry(folder.parent).promoted(folder.name)
    except BundleError as error:
        raise NoReferenceError("what serves is not known, its pointer is damaged") from error
    if champion is None:
        return None
    version = f"version {champion.version}"
    try:
        manifest = (champion.path / MANIFEST).read_bytes()
        if hashlib.sha256(manifest).hexdigest() != champion.sha256:
            raise NoReferenceError(f"the {MANIFEST} of {version} was changed")
        files = json.loads(manifest)["files"]
        if SCHEMA not in files:
            raise NoReferenceError(f"{version} was made without a {SCHEMA}")
        content = (champion.path / SCHEMA).read_bytes()
        if hashlib.sha256(content).hexdigest() != files[SCHEMA]["sha256"]:
            raise NoReferenceError(f"the {SCHEMA} of {version} was changed")
        return Reference.parse(content)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NoReferenceError(f"{version} is damaged") from error
