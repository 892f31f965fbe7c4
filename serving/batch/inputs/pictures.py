"""Paths of picture files -> a source of images, one row per file."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from serving.batch.decoding.picture import MAX_PICTURE_BYTES
from serving.batch.inputs.encoded_pictures import EncodedPictures
from serving.batch.inputs.open_file import (
    State,
    changed_error,
    open_file,
    read_whole,
    same_content,
    shown,
    state_of,
)
from serving.resize import require_picture_libraries

MISSING: State = (-1, -1, -1, -1)


@dataclass(frozen=True, eq=False, kw_only=True)
class Pictures(EncodedPictures):
    """Pictures, each opened only while its row is read: there may be a million of them.

    Attributes:
        files: their paths, as names of rows.
        states: int64 (n, 4), the state of each file when it was found.
    """

    files: Sequence[str]
    states: npt.NDArray[np.int64]

    def content(self, row: int) -> bytes:
        """The bytes of a picture's file. Raises: InputError."""
        size_bytes, mtime_ns = self.states[row, :2].tolist()
        return read_whole(self.files[row], (size_bytes, mtime_ns), MAX_PICTURE_BYTES)

    def name(self, row: int) -> str:
        """The file's path."""
        return shown(self.files[row])

    def names(self, start: int, stop: int) -> list[str]:
        """The path of each row's file: as the user named it, or below the folder that the user named."""
        return [shown(file) for file in self.files[start:stop]]

    def require_unchanged(self) -> None:
        """Refuses pictures that were added, removed or modified since they were found. Raises: InputError."""
        for file, state in zip(self.files, self.states.tolist(), strict=True):
            if not same_content(_state(file), tuple(state)):
                raise changed_error(file)


def find_pictures(files: Sequence[str], skip_bad: bool, left_out: Mapping[str, int] | None = None) -> Pictures:
    """Finds pictures by their paths, one or more, without opening them.

    `left_out` are the files beside them that are not read, by kind.

    Raises:
        InputError: Pillow or simplejpeg is not installed, or a file does not exist and bad pictures are not skipped.
    """
    require_picture_libraries("pictures")
    states = np.array([_state(file) for file in files], np.int64)
    found = states[:, 0] >= 0
    if not (skip_bad or found.all()):
        # Raises with the reason.
        open_file(Path(files[int(found.argmin())]))
    return Pictures(
        rows=len(files),
        paths=files,
        named=True,
        size_bytes=int(states[found, 0].sum()),
        mtime_ns=int(states[:, 1].max()),
        sha256=hashlib.sha256(states.tobytes() + b"".join(os.fsencode(file) + b"\0" for file in files)).hexdigest(),
        left_out=left_out or {},
        files=files,
        skip_bad=skip_bad,
        states=states,
    )


def _state(file: str) -> State:
    """The state of a file; `MISSING` if it is not a regular file."""
    try:
        found = os.stat(file)
    except OSError:
        return MISSING
    return state_of(found) if stat.S_ISREG(found.st_mode) else MISSING
