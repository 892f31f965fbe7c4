"""Checks the target of predictions: only an unchanged output of this command is replaced."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from serving.codec import FormatError, read
from serving.errors import InputError
from serving.files import sha256_file
from serving.out_path import require_out_path, write_error


@dataclass(frozen=True)
class _Digests:
    """The part of a sidecar that identifies the output, and the output that it replaced."""

    IGNORES_UNKNOWN = True

    output_sha256: str
    replaces_sha256: str | None


def require_replaceable(target: Path, inputs: Iterable[str | Path], overwrite: bool) -> str | None:
    """Refuses to replace any file except an unchanged output of this command, recognised by its sidecar.

    With `overwrite`, another file may be replaced too, but never one of the inputs, which are all files that are read.

    Returns: the SHA-256 of the output that will be replaced; None if there is none, or if it is another file.

    Raises:
        InputError: the target is an input, not a regular file, another file, or an output that was edited.
        BeamlineError: the disk fails.
    """
    require_out_path(target)
    sidecar = sidecar_of(target)
    try:
        replaced = sha256_file(target) if target.exists() else None
        digests = _digests(sidecar)
        _require_no_inputs([file for file in (target, sidecar) if file.exists()], inputs)
    except OSError as error:
        raise write_error(target, error) from error
    ours = bool(digests) and (replaced is None or replaced in digests)
    for file in (target, sidecar):
        expected = f"an unchanged output of this command (by its sidecar {sidecar.name})"
        require_out_path(file, lambda: ours, expected=expected, overwrite=overwrite)
    return replaced if ours else None


def sidecar_of(target: Path) -> Path:
    """The file with an output's metadata: `<output>.json`."""
    return target.with_name(target.name + ".json")


def _require_no_inputs(files: Sequence[Path], inputs: Iterable[str | Path]) -> None:
    """Refuses existing files that are inputs. There may be a million inputs. Raises: InputError."""
    if not files:
        return
    identities = {}
    for file in files:
        found = file.stat()
        identities[found.st_dev, found.st_ino] = file
    for path in inputs:
        # A missing picture may be skipped later.
        with suppress(OSError):
            found = os.stat(path)
            if (output := identities.get((found.st_dev, found.st_ino))) is not None:
                raise InputError(f"--out {output} is an input: give another name for the predictions")


def _digests(sidecar: Path) -> list[str]:
    """The digests of the outputs that a sidecar describes; empty if the file is not a sidecar."""
    try:
        found = read(_Digests, sidecar)
        return [digest for digest in (found.output_sha256, found.replaces_sha256) if digest is not None]
    except (OSError, FormatError):
        return []
