"""Files -> a digest of their content, cached until a file changes."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from serving import codec
from serving.batch.folders.file_pieces import read_pieces
from serving.batch.inputs.open_file import shown, shows_changes, state_of
from serving.errors import InputError
from serving.files import replace_json


@dataclass(frozen=True)
class CachedDigest:
    """A file of the cache: a digest of the names, sizes and times of files, and of their content in that state."""

    state: str
    content: str


def file_digest(path: str) -> str:
    """The SHA-256 of the bytes of a file. Raises: OSError."""
    digest = hashlib.sha256()
    for piece in read_pieces(path):
        digest.update(piece)
    return digest.hexdigest()


def _digests(root: Path, names: Sequence[str]) -> Iterator[str]:
    return (file_digest(f"{root}/{name}") for name in names)


def content_digest(
    root: Path,
    names: Iterable[str],
    cache: Path | None,
    cached_as: Path | None = None,
    digests: Callable[[Path, Sequence[str]], Iterable[str]] = _digests,
) -> str:
    """The SHA-256 of the names and bytes of files.

    Args:
        root: the folder of the files.
        names: paths below the root, in any order.
        cache: the folder of cached digests; None caches none.
        cached_as: the path that identifies the set in the cache; `root` by default.
        digests: gives the SHA-256 of each file, in order, if the digest is not cached.

    Raises:
        InputError: a file cannot be read.
    """
    began = time.time_ns()
    try:
        states = {name: state_of(os.stat(f"{root}/{name}")) for name in sorted(names)}
        # Without an indent, json is written in C: ten times as fast.
        state = hashlib.sha256(json.dumps([(name, *of) for name, of in states.items()]).encode()).hexdigest()
        place = hashlib.sha256(os.fsencode((cached_as or root).resolve())).hexdigest()
        entry = None if cache is None else cache / f"{place[:16]}.json"
        if entry is not None and (known := _load(entry, state)) is not None:
            return known
        digest = hashlib.sha256()
        for name, content in zip(states, digests(root, list(states)), strict=True):
            digest.update(f"{len(name)} {name} {content}\n".encode("utf-8", "surrogateescape"))
    except OSError as error:
        raise InputError(
            f"{shown(error.filename or root)} cannot be read: {error.strerror}: make it readable, or move it away"
        ) from error
    content = digest.hexdigest()
    if entry is not None and all(shows_changes(state, began) for state in states.values()):
        _save(entry, CachedDigest(state, content))
    return content


def _load(entry: Path, state: str) -> str | None:
    with contextlib.suppress(OSError, codec.FormatError):
        cached = codec.read(CachedDigest, entry)
        return cached.content if cached.state == state else None
    return None


def _save(entry: Path, cached: CachedDigest) -> None:
    # Without a cached digest, the next run only takes longer.
    with contextlib.suppress(OSError):
        entry.parent.mkdir(exist_ok=True)
        replace_json(entry, codec.to_json(cached))
