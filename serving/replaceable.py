"""Where predictions shall stand -> a refusal, or nothing: only an output of ours is written over without asking."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from serving.errors import InputError
from serving.files import sha256_file


def require_replaceable(target: Path, inputs: Iterable[Path], overwrite: bool) -> str | None:
    """Refuses to write over anything but an output of ours, known by its sidecar and unchanged.

    Args:
        target: where predictions shall stand.
        inputs: every file that is read, which is never written over.
        overwrite: whether a file that is not ours may be replaced too.

    Returns:
        The SHA-256 of the output of ours that stands there; None where there is none, or somebody else's.

    Raises:
        InputError: the target is an input, no plain file, or one that is somebody else's or was edited since.
    """
    if target.name in ("", ".."):
        raise InputError(f"--out {target} is a folder: give a file's name for the predictions")
    try:
        sidecar = sidecar_of(target)
        for file in (target, sidecar):
            _require_plain(target, file, inputs)
        replaced = sha256_file(target) if target.exists() else None
        ours = _digests(sidecar)
        nothing_there = not (target.exists() or sidecar.exists())
    except OSError as error:
        raise InputError(f"{target} cannot be written: {error.strerror}: give another place with --out FILE") from error
    known = bool(ours) and (replaced is None or replaced in ours)
    if not (known or overwrite or nothing_there):
        raise InputError(
            f"{target} exists and its sidecar {sidecar.name} does not show it to be an output of this command: "
            "move both away, give another place with --out FILE, or replace them with --overwrite"
        )
    return replaced if known else None


def _require_plain(target: Path, file: Path, inputs: Iterable[Path]) -> None:
    """Refuses a place where something else stands than a plain file that nobody reads meanwhile."""
    if not file.exists():
        what = "is a link to nowhere" if file.is_symlink() else None
    elif not file.is_file():
        what = "is a folder" if file.is_dir() else "is a pipe or a device"
    else:
        state = file.stat()
        what = "is an input itself" if any(os.path.samestat(state, given) for given in _states(inputs)) else None
    if what is not None:
        raise InputError(f"--out {target}: {file} {what}: give another name for the predictions")


def _states(paths: Iterable[Path]) -> Iterator[os.stat_result]:
    for path in paths:
        # A picture that is not there may be left out.
        with suppress(OSError):
            yield path.stat()


def _digests(sidecar: Path) -> list[str]:
    """What a sidecar says that it vouches for; nothing where it is none."""
    try:
        said = json.loads(sidecar.read_text(encoding="utf-8"))
        return [said["output_sha256"], said["replaces_sha256"]]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return []


def sidecar_of(target: Path) -> Path:
    """The file that says what made an output: `<output>.json`."""
    return target.with_name(target.name + ".json")
