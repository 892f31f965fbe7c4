"""Where predictions shall stand -> a refusal, or nothing: only an output of ours is written over without asking."""

from __future__ import annotations

import json
from collections.abc import Iterable
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
        The SHA-256 of what stands there now; None where nothing does.

    Raises:
        InputError: the target is the input, a folder, or a file that is somebody else's or was edited since.
    """
    sidecar = sidecar_of(target)
    for file in (target, sidecar):
        if file.exists() and (file.is_dir() or any(file.samefile(given) for given in inputs)):
            what = "is a folder" if file.is_dir() else "is an input itself"
            raise InputError(f"--out {target}: {file} {what}: give another name for the predictions")
    replaced = sha256_file(target) if target.exists() else None
    if overwrite or not (target.exists() or sidecar.exists()):
        return replaced
    try:
        said = json.loads(sidecar.read_text(encoding="utf-8"))
        ours = [said["output_sha256"], said["replaces_sha256"]]
    except (OSError, ValueError, KeyError, TypeError):
        ours = []
    if not ours or (replaced is not None and replaced not in ours):
        raise InputError(
            f"{target} exists and its sidecar {sidecar.name} does not show it to be an output of this command: "
            "move both away, give another place with --out FILE, or replace them with --overwrite"
        )
    return replaced


def sidecar_of(target: Path) -> Path:
    """The file that says what made an output: `<output>.json`."""
    return target.with_name(target.name + ".json")
