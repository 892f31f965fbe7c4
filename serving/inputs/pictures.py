"""Paths of PNG and JPEG files -> a source of images, one file a row."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import numpy as np

from serving.errors import InputError
from serving.inputs.blocks import Images, Source, Unreadable
from serving.inputs.open_file import TAKEN, State, changed, open_file, same_content, shown, state_of, unreadable
from serving.inputs.picture import MAX_PICTURE_BYTES, decode, read_size, require_size

SUFFIXES = (".png", ".jpg", ".jpeg")
NOWHERE: State = (-1, -1, -1, -1)


class Pictures(Source):
    """Pictures, each read when its row is, and none held open: there may be a million of them."""

    def __init__(self, files: Sequence[str], skip_bad: bool) -> None:
        """Finds the pictures, without opening them.

        Args:
            files: their paths, one or more.
            skip_bad: whether one that cannot be read becomes a black image, told in the block, and no error.

        Raises:
            InputError: Pillow is not installed, or a file is not there.
        """
        _require_pillow()
        self._files = files
        self._skip_bad = skip_bad
        self._found = np.array([_state(file) for file in files], np.int64)
        missing = np.flatnonzero(self._found[:, 0] < 0)
        if len(missing) and not skip_bad:
            # It says why.
            open_file(Path(files[missing[0]]))

    @property
    def rows(self) -> int:
        """The number of pictures."""
        return len(self._files)

    @property
    def paths(self) -> tuple[Path, ...]:
        """Every picture's file."""
        return tuple(map(Path, self._files))

    @property
    def named(self) -> bool:
        """True: each row is a file."""
        return True

    @property
    def described(self) -> str:
        """The first picture that can be read, and its size."""
        if self._first is None:
            return f"{shown(self._files[0])} and {self.rows - 1:,} more, of which none can be read,"
        row, (width, height) = self._first
        return f"{shown(self._files[row])} with {width}×{height} pixels"

    def fits(self, image_shape: tuple[int, int, int]) -> bool:
        """Whether the first picture that can be read has the model's size."""
        if self._first is None:
            return False
        try:
            require_size(self._first[1], image_shape)
        except ValueError:
            return False
        return True

    def require_fit(self, image_shape: tuple[int, int, int]) -> None:
        """Refuses pictures of which none can be read, or the first that can has another size.

        Where bad pictures are skipped, one of the right size is enough.

        Raises:
            InputError: they are refused.
        """
        if self._first is None:
            self._size(0)
        elif not (self._skip_bad and any(self._fits(row, image_shape) for row in range(self.rows))):
            row, size = self._first
            with self._named(row):
                require_size(size, image_shape)

    @property
    def size_bytes(self) -> int:
        """Of all pictures that are there."""
        return int(self._found[self._found[:, 0] >= 0, 0].sum())

    @property
    def mtime_ns(self) -> int:
        """When the last one was changed."""
        return int(self._found[:, 1].max())

    @property
    def sha256(self) -> str:
        """Of the names and states of all pictures."""
        digest = hashlib.sha256(self._found.tobytes())
        for file in self._files:
            digest.update(os.fsencode(file) + b"\0")
        return digest.hexdigest()

    def fill(self, images: Images, start: int) -> list[Unreadable]:
        """Decodes pictures."""
        bad: list[Unreadable] = []
        for row, image in enumerate(images, start):
            try:
                content = self._read(row)
                with self._named(row):
                    image[...] = decode(content, image.shape)
            except InputError as error:
                if not self._skip_bad:
                    raise
                image[...] = 0
                bad.append((row, str(error)))
        return bad

    def names(self, start: int, stop: int) -> list[str]:
        """Each row's file, as it was given or found in a folder that was."""
        return [shown(file) for file in self._files[start:stop]]

    def require_unchanged(self) -> None:
        """Refuses pictures that came, went or were written to since they were found. Raises: InputError."""
        for row, file in enumerate(self._files):
            if not same_content(_state(file), tuple(self._found[row])):
                raise changed(file)

    @cached_property
    def _first(self) -> tuple[int, tuple[int, int]] | None:
        """The first picture that can be read: its row, and its width and height."""
        for row in range(self.rows):
            try:
                return row, self._size(row)
            except InputError:
                continue
        return None

    def _fits(self, row: int, image_shape: tuple[int, int, int]) -> bool:
        try:
            require_size(self._size(row), image_shape)
        except (InputError, ValueError):
            return False
        return True

    def _size(self, row: int) -> tuple[int, int]:
        with self._named(row):
            return read_size(self._read(row))

    def _read(self, row: int) -> bytes:
        """The bytes of a picture's file. Raises: InputError."""
        file = open_file(Path(self._files[row]))
        if not same_content(file.state, tuple(self._found[row])):
            raise changed(file.path)
        if file.size_bytes > MAX_PICTURE_BYTES:
            raise InputError(f"{file.name} has {file.size_bytes:,} bytes, which is too much for a picture: resize it")
        return file.head(MAX_PICTURE_BYTES)

    @contextmanager
    def _named(self, row: int) -> Iterator[None]:
        """Puts the file's name before what is wrong with a picture."""
        try:
            yield
        except ValueError as error:
            raise InputError(f"{shown(self._files[row])} {error}") from error


def list_pictures(folder: str) -> list[str]:
    """The pictures of a folder and the folders in it, sorted by their path in it; what is hidden is left out.

    Raises:
        InputError: a folder cannot be read, is inside itself by a link, or none has pictures.
    """
    found = [os.path.join(folder, path) for path in sorted(_walk(folder, "", ()))]
    if not found:
        raise InputError(f"{shown(folder)} holds no pictures ({', '.join(SUFFIXES)}): give {TAKEN}")
    return found


def _walk(folder: str, inside: str, above: tuple[tuple[int, int], ...]) -> Iterator[str]:
    """Paths of pictures, relative to the folder, in no order; `above` are the folders on the way, by their numbers."""
    here = os.path.join(folder, inside) if inside else folder
    try:
        state = os.stat(here)
        entries = list(os.scandir(here))
    except OSError as error:
        raise unreadable(here, error) from error
    if (state.st_dev, state.st_ino) in above:
        raise InputError(f"{shown(here)} is a link to a folder that it stands in: remove it")
    for entry in entries:
        path = os.path.join(inside, entry.name)
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _walk(folder, path, (*above, (state.st_dev, state.st_ino)))
        elif has_suffix(path):
            yield path


def has_suffix(path: str) -> bool:
    """Whether a file is called as a picture is, in any case."""
    return path.lower().endswith(SUFFIXES)


def _state(file: str) -> State:
    """All -1 where there is no regular file."""
    try:
        found = os.stat(file)
    except OSError:
        return NOWHERE
    return state_of(found) if stat.S_ISREG(found.st_mode) else NOWHERE


def _require_pillow() -> None:
    try:
        import PIL.Image  # noqa: F401
    except ImportError as error:
        raise InputError("pictures need Pillow, which is not installed: pip install pillow") from error
