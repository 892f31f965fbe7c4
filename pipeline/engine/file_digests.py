"""A file -> its SHA-256: each step compares its inputs with their digests, and most are inputs of several steps."""

from __future__ import annotations

import os
import time
from pathlib import Path

from serving.batch.inputs.open_file import State, shows_changes, state_of
from serving.files import sha256_file

# The state in which each file was read, and its digest. Each change of a file changes its state.
_known: dict[Path, tuple[State, str]] = {}


def digest_of(file: Path) -> str:
    """The SHA-256 of a file's bytes; it is read once in this process, unless it changed since, or just before.

    Raises: OSError.
    """
    began, state = time.time_ns(), state_of(os.stat(file))
    known = _known.get(file)
    if known is not None and known[0] == state:
        return known[1]
    digest = sha256_file(file)
    if shows_changes(state, began):
        _known[file] = state, digest
    return digest
