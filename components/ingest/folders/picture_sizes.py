"""The sizes of the pictures of a set -> the one shape of all images."""

from __future__ import annotations

from collections import Counter

from serving.batch.folders.picture_header import PictureHeader
from serving.errors import InputError


class PictureSizes:
    """Counts the sizes of pictures, and keeps the name of one of each size."""

    def __init__(self) -> None:
        """No pictures yet."""
        self._counts: Counter[tuple[int, int]] = Counter()
        self._names: dict[tuple[int, int], str] = {}
        self._coloured = False

    def add(self, name: str, header: PictureHeader) -> None:
        """Counts a picture; `name` is how a message names it."""
        size = header.height, header.width
        self._counts[size] += 1
        self._names.setdefault(size, name)
        self._coloured |= header.coloured

    @property
    def empty(self) -> bool:
        """Whether no picture was counted."""
        return not self._counts

    def image_shape(self, resize: tuple[int, int] | None) -> tuple[int, int, int]:
        """Height, width and channels of every image, after resizing. At least one picture was counted.

        Raises: InputError: pictures have different sizes, and are not resized.
        """
        ((height, width), most), *others = self._counts.most_common()
        if others and resize is None:
            other = next(size for size in self._names if size != (height, width))
            raise InputError(
                f"{self._names[other]} is {other[1]}×{other[0]} pixels, {most:,} of {self._counts.total():,} pictures "
                f"are {width}×{height} (width × height): correct it, or give --ingest.resize {height} {width}"
            )
        return *(resize or (height, width)), 3 if self._coloured else 1
