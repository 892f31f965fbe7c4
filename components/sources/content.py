"""Files -> the digest of their content, remembered for as long as none of them is touched."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from serving.errors import InputError
from serving.files import canonical_json, replace_json, sha256_file
from serving.inputs.open_file import State, shown, state_of

# A file may change within one tick of the clock after it was read, and look untouched: only what was left alone for
# longer is remembered.
SETTLED_NS = 2_000_000_000


def content_digest(root: Path, names: Iterable[str], memory: Path | None, place: Path | None = None) -> str:
    """The SHA-256 of files' names and bytes.

    Args:
        root: the folder that the names are below.
        names: of files, in any order.
        memory: the folder where digests are remembered; None remembers none.
        place: what is remembered; the root where it is None.

    Raises:
        InputError: a file cannot be read.
    """
    began = time.time_ns()
    try:
        states = {name: state_of(os.stat(root / name)) for name in sorted(names)}
        state = hashlib.sha256(canonical_json(states).encode("utf-8", "surrogateescape")).hexdigest()
        remembered = None if memory is None else memory / f"{_digits(place or root)}.json"
        if remembered is not None and (known := _recall(remembered, state)) is not None:
            return known
        digest = hashlib.sha256()
        for name in states:
            digest.update(f"{len(name)} {name} {sha256_file(root / name)}\n".encode("utf-8", "surrogateescape"))
    except OSError as error:
        raise InputError(
            f"{shown(error.filename or root)} cannot be read: {error.strerror}: make it readable, or move it away"
        ) from error
    content = digest.hexdigest()
    if remembered is not None and _newest(states) < began - SETTLED_NS:
        _remember(remembered, state, content)
    return content


def _newest(states: Mapping[str, State]) -> int:
    return max((max(mtime, ctime) for _, mtime, ctime, _ in states.values()), default=0)


def _digits(place: Path) -> str:
    return hashlib.sha256(os.fsencode(place.resolve())).hexdigest()[:16]


def _recall(file: Path, state: str) -> str | None:
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
        return str(said["content"]) if said["state"] == state else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _remember(file: Path, state: str, content: str) -> None:
    # Not to remember costs time alone.
    with contextlib.suppress(OSError):
        file.parent.mkdir(exist_ok=True)
        replace_json(file, {"state": state, "content": content})
