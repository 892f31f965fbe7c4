"""An open file -> a source of images: .npy or IDX, uint8, with a shape that can be rows of images."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from serving.errors import InputError
from serving.inputs.array_file import ArrayFile, open_array
from serving.inputs.blocks import Images, Source, Unreadable
from serving.inputs.open_file import OpenFile

# What to do about values of another type, by the type's own kind, or its name where that says more.
FIXES = {
    "f": 'save them with .astype("uint8"), after multiplying by 255 where they run from 0 to 1',
    "b": 'save them with .astype("uint8") * 255 where True is white',
    "i": 'save them with .astype("uint8"), where they run from 0 to 255',
    "u": 'save them with .astype("uint8"), where they run from 0 to 255',
    "int8": 'save them with .astype("uint8"), after adding 128 where they run from -128 to 127',
    "uint16": 'save them with .astype("uint8"), after dividing by 257 where they run from 0 to 65,535',
}


@dataclass(frozen=True, eq=False)
class Arrays(Source):
    """The images of one array file, (n, h, w), (n, h, w, c) or (n, h·w·c)."""

    file: ArrayFile

    @property
    def rows(self) -> int:
        """The number of images."""
        return self.file.rows

    @property
    def paths(self) -> tuple[Path, ...]:
        """The file that was given."""
        return (self.file.path,)

    @property
    def named(self) -> bool:
        """False: its rows have no files of their own."""
        return False

    @property
    def described(self) -> str:
        """The file, and the shape of its images."""
        return f"{self.file.name} with images of shape {self.file.layout.shape[1:]}"

    def fits(self, image_shape: tuple[int, int, int]) -> bool:
        """Whether each row is an image of (height, width, channels), flattened or grey without its channel."""
        height, width, channels = image_shape
        row = self.file.layout.shape[1:]
        return row in (image_shape, (math.prod(image_shape),)) or (channels == 1 and row == (height, width))

    def require_fit(self, image_shape: tuple[int, int, int]) -> None:
        """Refuses images that the model cannot take. Raises: InputError."""
        if not self.fits(image_shape):
            raise InputError(
                f"{self.file.name} holds images of shape {self.file.layout.shape[1:]}, the model takes {image_shape} "
                "(height, width, channels), or the same flattened: resize them to fit"
            )

    @property
    def size_bytes(self) -> int:
        """Of the file."""
        return self.file.origin.size_bytes

    @property
    def mtime_ns(self) -> int:
        """When the file was changed last."""
        return self.file.origin.state[1]

    @property
    def sha256(self) -> str:
        """Of the file's state."""
        return self.file.origin.sha256

    def fill(self, images: Images, start: int) -> list[Unreadable]:
        """Reads rows."""
        _, height, width, channels = images.shape
        self.require_fit((height, width, channels))
        self.file.read_into(images, start)
        return []

    def names(self, start: int, stop: int) -> list[str]:
        """The file, for every row."""
        return [self.file.name] * (stop - start)

    def require_unchanged(self) -> None:
        """Refuses a file that was written to since it was opened. Raises: InputError."""
        self.file.origin.require_unchanged()


def open_arrays(file: OpenFile) -> Arrays:
    """Checks a file of images without reading them.

    Raises:
        InputError: no array, another type than uint8, a shape that is no row of images, or a size that is not what
            the header says.
    """
    array = open_array(file, "images")
    dtype, shape = array.layout.dtype, array.layout.shape
    if dtype != np.uint8:
        kind = f"records {dtype.names}" if dtype.names else "Python objects (object)" if dtype.hasobject else dtype.name
        fix = FIXES.get(dtype.name, FIXES.get(dtype.kind, "save raw pixels"))
        raise InputError(f"{file.name} holds {kind}, the model takes uint8 (0 to 255): {fix}")
    if len(shape) == 1:
        raise InputError(
            f"{file.name} has shape {shape}, as labels have, and images are (n, h, w), (n, h, w, c) or (n, h·w·c): "
            "give the file of images, or reshape it"
        )
    if len(shape) not in (2, 3, 4) or 0 in shape[1:]:
        raise InputError(f"{file.name} has shape {shape}, images are (n, h, w), (n, h, w, c) or (n, h·w·c): reshape it")
    array.require_whole()
    return Arrays(array)
