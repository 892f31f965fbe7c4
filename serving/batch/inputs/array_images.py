"""An open array file -> a source of images: .npy or IDX, uint8, each row an image."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from serving.batch.inputs.array_file import ArrayFile, open_array
from serving.batch.inputs.open_file import OpenFile
from serving.blocks import Images, OtherSizes, Source, Unreadable
from serving.errors import InputError
from serving.resize import resize

# The size of the stored images that are in memory at once while they are resized.
RESIZE_BYTES = 1 << 22

# The advice for values of another type, by the type's name, or else its kind.
FIXES = {
    "f": 'save them with .astype("uint8"), after multiplying by 255 if they range from 0 to 1',
    "b": 'save them with .astype("uint8") * 255 if True is white',
    "i": 'save them with .astype("uint8"), if they range from 0 to 255',
    "u": 'save them with .astype("uint8"), if they range from 0 to 255',
    "int8": 'save them with .astype("uint8"), after adding 128 if they range from -128 to 127',
    "uint16": 'save them with .astype("uint8"), after dividing by 257 if they range from 0 to 65,535',
}


@dataclass(frozen=True, eq=False, kw_only=True)
class ArrayImages(Source):
    """The images of one array file, (n, h, w), (n, h, w, c) or (n, h·w·c)."""

    file: ArrayFile

    @property
    def described(self) -> str:
        """The file, and the shape of its images."""
        return f"{self.file.name} with images of shape {self.file.layout.shape[1:]}"

    def with_other_sizes(self, other_sizes: OtherSizes) -> Self:
        """The same images, treated in another way if they have another size."""
        return replace(self, other_sizes=other_sizes)

    def fits(self, image_shape: tuple[int, int, int]) -> bool:
        """Whether each row is an image of (height, width, channels), or can be resized to it.

        Rows may be flattened if they need not be resized. Grey images may have no channel.
        """
        resized = self.other_sizes is OtherSizes.RESIZED and self._has_channels(image_shape[2])
        return resized or self._has_shape(image_shape)

    def require_fit(self, image_shape: tuple[int, int, int]) -> None:
        """Refuses images that the model cannot take. Raises: InputError."""
        if self.fits(image_shape):
            return
        if self._has_channels(image_shape[2]):
            advice = self.other_sizes.advice("them")
        elif self.other_sizes is OtherSizes.RESIZED:
            advice = f"save them as (n, height, width, {image_shape[2]}), which --resize can resize"
        else:
            advice = OtherSizes.REFUSED.advice("them")
        raise InputError(
            f"{self.file.name} holds images of shape {self.file.layout.shape[1:]}, the model takes {image_shape} "
            f"(height, width, channels), or the same flattened: {advice}"
        )

    def fill(self, images: Images, start: int) -> list[Unreadable]:
        """Reads rows, and resizes them if they have another size."""
        _, height, width, channels = images.shape
        self.require_fit((height, width, channels))
        if self._has_shape((height, width, channels)):
            self.file.read_into(images, start)
            return []
        stored = (*self.file.layout.shape[1:3], channels)
        rows = max(1, RESIZE_BYTES // math.prod(stored))
        for first in range(0, len(images), rows):
            part = images[first : first + rows]
            originals = np.empty((len(part), *stored), np.uint8)
            self.file.read_into(originals, start + first)
            for image, original in zip(part, originals, strict=True):
                image[...] = resize(original, (height, width))
        return []

    def _has_shape(self, image_shape: tuple[int, int, int]) -> bool:
        """Whether each row is an image of the model's shape."""
        height, width, channels = image_shape
        row = self.file.layout.shape[1:]
        return row in (image_shape, (math.prod(image_shape),)) or (channels == 1 and row == (height, width))

    def _has_channels(self, channels: int) -> bool:
        """Whether each row is an image, not flattened, with this number of channels."""
        row = self.file.layout.shape[1:]
        return (len(row) == 3 and row[2] == channels) or (len(row) == 2 and channels == 1)

    def names(self, start: int, stop: int) -> list[str]:
        """The file, for every row."""
        return [self.file.name] * (stop - start)

    def require_unchanged(self) -> None:
        """Refuses a file that was modified since it was opened. Raises: InputError."""
        self.file.origin.require_unchanged()


def open_array_images(file: OpenFile) -> ArrayImages:
    """Checks the header of a file of images.

    Raises:
        InputError: the file holds no array, has another type than uint8 or a shape without images, or its size
            differs from its header.
    """
    array = open_array(file, "images")
    dtype, shape = array.layout.dtype, array.layout.shape
    if dtype != np.uint8:
        kind = f"records {dtype.names}" if dtype.names else "Python objects (object)" if dtype.hasobject else dtype.name
        fix = FIXES.get(dtype.name, FIXES.get(dtype.kind, "save raw pixels"))
        raise InputError(f"{file.name} holds {kind}, the model takes uint8 (0 to 255): {fix}")
    if len(shape) == 1:
        raise InputError(
            f"{file.name} has shape {shape}, as labels have; images are (n, h, w), (n, h, w, c) or (n, h·w·c): "
            "give the file of images, or reshape it"
        )
    if len(shape) not in (2, 3, 4) or 0 in shape[1:]:
        raise InputError(f"{file.name} has shape {shape}, images are (n, h, w), (n, h, w, c) or (n, h·w·c): reshape it")
    array.require_whole()
    return ArrayImages(
        rows=array.rows,
        paths=(file.path,),
        named=False,
        size_bytes=file.size_bytes,
        mtime_ns=file.mtime_ns,
        sha256=file.sha256,
        file=array,
    )
