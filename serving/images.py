"""What the user named -> one source of images: files, folders of pictures and patterns, joined in their order."""

from __future__ import annotations

import hashlib
import os
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, groupby
from pathlib import Path

from serving.errors import InputError
from serving.inputs.array_file import is_array
from serving.inputs.arrays import Arrays, open_arrays
from serving.inputs.blocks import Images, Source, Unreadable
from serving.inputs.open_file import TAKEN, open_file, shown

# No kind of file needs more to be told from the others.
MAGIC_BYTES = 8


def find_images(inputs: Sequence[str], skip_bad: bool = False) -> Source:
    """Finds images, and checks them as far as their headers go; pictures are looked at when they are read.

    Args:
        inputs: each a file (.npy, IDX, IDX packed with gzip, PNG, JPEG, told by its first bytes), a folder of
            pictures, or a pattern such as 'night-*.npy'. What exists as it is written is no pattern.
        skip_bad: whether a picture that cannot be read becomes a black image, told in its block, and no error.

    Raises:
        InputError: nothing is there, or what is there holds no uint8 images.
    """
    found = (part for name in inputs for path in _expand(name) for part in _parts(path, skip_bad))
    sources: list[Source] = []
    for _, group in groupby(found, key=type):
        parts = list(group)
        pictures = [part for part in parts if isinstance(part, str)]
        # Pictures that follow each other are one source: there may be very many.
        sources += [_pictures(pictures, skip_bad)] if pictures else [p for p in parts if isinstance(p, Arrays)]
    if not sources:
        raise InputError(f"no images were named: give {TAKEN}")
    return sources[0] if len(sources) == 1 else _Joined(sources)


def _expand(name: str) -> list[str]:
    if os.path.lexists(name):
        return [name]
    import glob

    if not glob.has_magic(name):
        return [name]
    found = sorted(glob.glob(name, recursive=True))
    if not found:
        raise InputError(f"{shown(name)} matches nothing: give {TAKEN}, or a pattern that matches some")
    return found


def _parts(path: str, skip_bad: bool) -> Iterator[str | Arrays]:
    """The paths of pictures, or one array."""
    if os.path.isdir(path):
        from serving.inputs.pictures import list_pictures

        yield from list_pictures(path)
        return
    try:
        file = open_file(Path(path))
        head = file.head(MAGIC_BYTES)
        yield path if not is_array(head) and _is_picture(head) else open_arrays(file)
    except InputError:
        # What is called a picture and is none is told with its row.
        if not (skip_bad and _is_called_picture(path)):
            raise
        yield path


# Pictures' modules are not imported before there are any: they would be a good part of every start.


def _is_picture(head: bytes) -> bool:
    from serving.inputs.picture import is_picture

    return is_picture(head)


def _is_called_picture(path: str) -> bool:
    from serving.inputs.pictures import has_suffix

    return has_suffix(path)


def _pictures(files: Sequence[str], skip_bad: bool) -> Source:
    from serving.inputs.pictures import Pictures

    return Pictures(files, skip_bad)


class _Joined(Source):
    """The rows of several sources, one after the other."""

    def __init__(self, parts: Sequence[Source]) -> None:
        self._parts = parts
        self._ends = list(accumulate(part.rows for part in parts))

    @property
    def rows(self) -> int:
        return self._ends[-1]

    @property
    def paths(self) -> tuple[Path, ...]:
        return tuple(path for part in self._parts for path in part.paths)

    @property
    def named(self) -> bool:
        return any(part.named for part in self._parts)

    @property
    def described(self) -> str:
        return f"{self._parts[0].described} and what was named with it"

    def fits(self, image_shape: tuple[int, int, int]) -> bool:
        return all(part.fits(image_shape) for part in self._parts)

    def require_fit(self, image_shape: tuple[int, int, int]) -> None:
        for part in self._parts:
            part.require_fit(image_shape)

    @property
    def size_bytes(self) -> int:
        return sum(part.size_bytes for part in self._parts)

    @property
    def mtime_ns(self) -> int:
        return max(part.mtime_ns for part in self._parts)

    @property
    def sha256(self) -> str:
        # Arrays' names are written in rows only beside pictures.
        named = [part.names(0, min(1, part.rows)) for part in self._parts] if self.named else []
        return hashlib.sha256(repr(([part.sha256 for part in self._parts], named)).encode()).hexdigest()

    def fill(self, images: Images, start: int) -> list[Unreadable]:
        bad: list[Unreadable] = []
        for part, offset, first, last in self._pieces(start, start + len(images)):
            found = part.fill(images[offset + first - start : offset + last - start], first)
            bad += [(offset + row, why) for row, why in found]
        return bad

    def names(self, start: int, stop: int) -> list[str]:
        return [name for part, _, first, last in self._pieces(start, stop) for name in part.names(first, last)]

    def require_unchanged(self) -> None:
        for part in self._parts:
            part.require_unchanged()

    def _pieces(self, start: int, stop: int) -> Iterator[tuple[Source, int, int, int]]:
        """The parts that some rows lie in: each with the row at which it starts, and its own first and last row."""
        for number in range(bisect_right(self._ends, start), len(self._parts)):
            part = self._parts[number]
            offset = self._ends[number] - part.rows
            if offset >= stop:
                return
            if part.rows:
                yield part, offset, max(start - offset, 0), min(stop - offset, part.rows)
