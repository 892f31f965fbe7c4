"""Paths of picture files -> a source of images, one row per file."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from serving.batch.decoding.channels import require_channels
from serving.batch.decoding.many_pictures import decode_all
from serving.batch.decoding.picture import MAX_PICTURE_BYTES, read_size, require_size
from serving.batch.decoding.picture_error import OTHER_SIZE, PictureError
from serving.batch.inputs.open_file import (
    State,
    changed_error,
    open_file,
    read_whole,
    same_content,
    shown,
    state_of,
)
from serving.blocks import Images, OtherSizes, Source, Unreadable
from serving.errors import InputError
from serving.resize import require_picture_libraries

MISSING: State = (-1, -1, -1, -1)


@dataclass(frozen=True, eq=False, kw_only=True)
class Pictures(Source):
    """Pictures, each opened only while its row is read: there may be a million of them.

    Attributes:
        files: their paths, as names of rows.
        skip_bad: whether an unreadable picture becomes a black image that the block lists, instead of an error.
        states: int64 (n, 4), the state of each file when it was found.
    """

    files: Sequence[str]
    skip_bad: bool
    states: npt.NDArray[np.int64]

    @property
    def described(self) -> str:
        """The first readable picture, and its size."""
        if self._first is None:
            return f"{shown(self.files[0])} and {self.rows - 1:,} more unreadable pictures"
        row, (width, height) = self._first
        return f"{shown(self.files[row])} with {width}×{height} pixels"

    def with_other_sizes(self, other_sizes: OtherSizes) -> Self:
        """The same pictures, with those of other sizes treated in another way."""
        return replace(self, other_sizes=other_sizes)

    def fits(self, image_shape: tuple[int, int, int]) -> bool:
        """Whether the first readable picture has the model's size, or can be resized to it."""
        return self._first is not None and self._fits(self._first[0], image_shape)

    def require_fit(self, image_shape: tuple[int, int, int]) -> None:
        """Refuses pictures if none is readable, or if the first readable one has another size.

        If bad pictures are skipped, one picture of the right size is enough.

        Raises: InputError: they are refused.
        """
        if self._first is None:
            self._size(0)
        elif not (self.skip_bad and any(self._fits(row, image_shape) for row in range(self.rows))):
            row, size = self._first
            with self._name_in_errors(row):
                self._require_fit(size, image_shape)

    def fill(self, images: Images, start: int) -> list[Unreadable]:
        """Decodes pictures."""
        errors: list[tuple[int, InputError]] = []

        def contents() -> Iterator[bytes | None]:
            for row in range(start, start + len(images)):
                try:
                    yield self._read(row)
                except InputError as error:
                    errors.append((row, error))
                    yield None

        resizing = self.other_sizes is OtherSizes.RESIZED
        for index, error in decode_all(contents(), images, resizing, self.background):
            errors.append((start + index, self._named(start + index, error)))
        errors.sort(key=lambda found: found[0])
        if errors and not self.skip_bad:
            raise errors[0][1]
        for row, _ in errors:
            images[row - start] = 0
        return [(row, str(error)) for row, error in errors]

    def names(self, start: int, stop: int) -> list[str]:
        """The path of each row's file: as the user named it, or below the folder that the user named."""
        return [shown(file) for file in self.files[start:stop]]

    def require_unchanged(self) -> None:
        """Refuses pictures that were added, removed or modified since they were found. Raises: InputError."""
        for file, state in zip(self.files, self.states.tolist(), strict=True):
            if not same_content(_state(file), tuple(state)):
                raise changed_error(file)

    @cached_property
    def _first(self) -> tuple[int, tuple[int, int]] | None:
        """The first readable picture: its row, and its width and height."""
        for row in range(self.rows):
            try:
                return row, self._size(row)
            except InputError:
                continue
        return None

    def _fits(self, row: int, image_shape: tuple[int, int, int]) -> bool:
        try:
            self._require_fit(self._size(row), image_shape)
        except (InputError, PictureError):
            return False
        return True

    def _require_fit(self, size: tuple[int, int], image_shape: tuple[int, int, int]) -> None:
        """Raises: PictureError: a picture of this width and height does not fit."""
        require_channels(image_shape[2])
        if self.other_sizes is not OtherSizes.RESIZED:
            require_size(size, image_shape[:2])

    def _size(self, row: int) -> tuple[int, int]:
        with self._name_in_errors(row):
            return read_size(self._read(row))

    def _read(self, row: int) -> bytes:
        """The bytes of a picture's file. Raises: InputError."""
        size_bytes, mtime_ns = self.states[row, :2].tolist()
        return read_whole(self.files[row], (size_bytes, mtime_ns), MAX_PICTURE_BYTES)

    def _named(self, row: int, error: PictureError) -> InputError:
        """The error of a picture, which starts with its file's name."""
        advice = self.other_sizes.advice("it") if error.kind == OTHER_SIZE else error.advice
        return InputError(f"{shown(self.files[row])} {error.fact}: {advice}")

    @contextmanager
    def _name_in_errors(self, row: int) -> Iterator[None]:
        """Puts the file's name before the message of a PictureError."""
        try:
            yield
        except PictureError as error:
            raise self._named(row, error) from error


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
