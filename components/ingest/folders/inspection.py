"""The pictures of a folder -> their digests and headers, from one read of each file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from components.ingest.folders.picture_pool import SMALL_BYTES, map_parts, start_processes
from serving.batch.folders.file_pieces import map_paths
from serving.batch.folders.picture_header import PictureHeader, inspect, read_header

Result = TypeVar("Result")

# Number of files that one thread or process reads at once.
PART_FILES = 256
# Files of this size at most, on average, take less time to hash than threads need to take turns.
HASHED_BYTES = 1 << 16
# Number of files whose size is looked at.
SAMPLED_FILES = 64


class Inspection:
    """Reads the files of a set, each once where possible.

    Attributes:
        small: whether the files are small on average. For many small files, processes are started.
    """

    def __init__(self, root: Path, names: Sequence[str]) -> None:
        """Looks at the sizes of some files, 1 or more, below the set's folder."""
        self._root = root
        self._headers: dict[str, PictureHeader | None] = {}
        sampled = names[:: -(-len(names) // SAMPLED_FILES)]
        mean_bytes = sum(map(partial(_size_bytes, str(root)), sampled)) / len(sampled)
        self.small = mean_bytes <= SMALL_BYTES
        self._quickly_hashed = mean_bytes <= HASHED_BYTES
        if self.small:
            start_processes(len(names))

    def digests(self, root: Path, names: Sequence[str]) -> Iterator[str]:
        """Yields the SHA-256 of each file, and keeps its header. Raises: OSError."""
        for name, (digest, header) in zip(names, self._map(inspect, names), strict=True):
            self._headers[name] = header
            yield digest

    def headers(self, names: Sequence[str]) -> dict[str, PictureHeader | None]:
        """The header of each file, by name; None if it cannot be read."""
        unread = [name for name in names if name not in self._headers]
        self._headers.update(zip(unread, self._map(read_header, unread), strict=True))
        return {name: self._headers[name] for name in names}

    def _map(self, function: Callable[[str], Result], names: Sequence[str]) -> Iterator[Result]:
        """Yields the function's result for the path of each file."""
        parts = [names[start : start + PART_FILES] for start in range(0, len(names), PART_FILES)]
        for results in map_parts(partial(map_paths, function, str(self._root)), parts, self._quickly_hashed):
            yield from results


def _size_bytes(root: str, name: str) -> int:
    """The size of a file; 0 if it cannot be read, which is reported later."""
    try:
        return os.stat(f"{root}/{name}").st_size
    except OSError:
        return 0
