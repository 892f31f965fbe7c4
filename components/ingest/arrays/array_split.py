"""ArraySplit: the images and labels of one split, in plain files, and the reader of their blocks."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from components.ingest.arrays.array_location import UnpackedArray
from components.ingest.read_plan import BlockReader, Images, Labels, Part
from serving.batch.inputs.open_file import shown
from serving.errors import InputError
from serving.machine import usable_processors
from serving.parallel import map_in_order
from serving.resize import resize

# Size of the stored images that are read at once.
PART_BYTES = 1 << 22
MAX_LABEL = np.iinfo(np.int64).max


class ArraySplit(NamedTuple):
    """The images and labels of one split; their headers are checked.

    Attributes:
        images: (rows, h, w) or (rows, h, w, c).
        labels: (rows,) or (rows, 1).
        rows: 1 or more.
        image_shape: (height, width, channels), as stored.
        types: the types of images and labels, as they are read.
    """

    images: UnpackedArray
    labels: UnpackedArray
    rows: int
    image_shape: tuple[int, int, int]
    types: tuple[np.dtype[Any], np.dtype[Any]]

    def read_images(self, start: int, stop: int, size: tuple[int, int]) -> Images:
        """Images (n, h, w, c) of the stored type, resized to `size`; only uint8 images can be resized."""
        images: Images = self.images.read(start, stop).reshape(stop - start, *self.image_shape)
        if self.image_shape[:2] == size:
            return images
        return np.stack([resize(image, size) for image in images])

    @property
    def rows_per_part(self) -> int:
        """Number of images that are read at once, 1 or more."""
        return max(1, PART_BYTES // (math.prod(self.image_shape) * self.types[0].itemsize))

    def read_labels(self, start: int, stop: int) -> Labels:
        """Labels (n,): int64 for all integer types, else of the stored type. Raises: InputError: beyond int64."""
        labels: npt.NDArray[Any] = self.labels.read(start, stop).reshape(-1)
        if labels.dtype == np.uint64 and labels.max() > MAX_LABEL:
            row = int(labels.argmax())
            raise InputError(
                f"{shown(self.labels.name)} has the label {labels[row]} in row {start + row:,}, which is too large "
                "for int64: correct it"
            )
        return labels.astype(self.types[1], copy=False)


@dataclass(frozen=True)
class ArrayBlockReader(BlockReader):
    """Rows of one or more splits of the set.

    Attributes:
        rows: in order: the split, first row, one past the last row.
        size: height and width of the images.
    """

    rows: tuple[tuple[ArraySplit, int, int], ...]
    size: tuple[int, int]

    def read_parts(self) -> Iterator[Part]:
        """Reads the rows by position, and resizes them by several threads."""
        parts = [
            (split, row, min(row + split.rows_per_part, stop))
            for split, start, stop in self.rows
            for row in range(start, stop, split.rows_per_part)
        ]

        def read(part: tuple[ArraySplit, int, int]) -> Part:
            split, start, stop = part
            return Part(split.read_images(start, stop, self.size), split.read_labels(start, stop))

        yield from map_in_order(read, parts, usable_processors())


def open_split(images: UnpackedArray, labels: UnpackedArray) -> ArraySplit:
    """Checks the headers of the images and labels of a split.

    Args:
        images: numbers, (n, h, w) or (n, h, w, c).
        labels: numbers, (n,) or (n, 1).

    Raises:
        InputError: the shapes are not those of images and labels, or their numbers of rows differ.
    """
    pixels, numbers = images.open().layout, labels.open().layout
    if len(pixels.shape) not in (3, 4) or 0 in pixels.shape:
        raise InputError(
            f"{shown(images.name)} has shape {pixels.shape}, images are (n, h, w) or (n, h, w, c): "
            f"{_reshape_advice(pixels.shape)}"
        )
    if not numbers.shape or numbers.shape[1:] not in ((), (1,)):
        raise InputError(
            f"{shown(labels.name)} has shape {numbers.shape}, labels are (n,), or one-hot (n, classes): save one "
            "number for each image"
        )
    if numbers.shape[0] != pixels.shape[0]:
        raise InputError(
            f"{shown(images.name)} has {pixels.shape[0]:,} images and {shown(labels.name)} {numbers.shape[0]:,} "
            "labels: save one label for each image"
        )
    rows, height, width, channels = (*pixels.shape, 1)[:4]
    label_type = np.dtype(np.int64) if numbers.dtype.kind in "iu" else numbers.dtype.newbyteorder("=")
    types = (pixels.dtype.newbyteorder("="), label_type)
    return ArraySplit(images, labels, rows, (height, width, channels), types)


def _reshape_advice(shape: tuple[int, ...]) -> str:
    """How flat images become images: square ones, grey or of three colours."""
    if len(shape) != 2 or 0 in shape:
        return "reshape them, e.g. to (-1, height, width)" if len(shape) == 2 else "save one or more"
    side, colour_side = math.isqrt(shape[1]), math.isqrt(shape[1] // 3)
    if side**2 == shape[1]:
        return f"if each row is a grey image of {side}×{side} pixels, save images.reshape(-1, {side}, {side})"
    if 3 * colour_side**2 == shape[1]:
        square = f"{colour_side}, {colour_side}"
        return (
            f"if each row is a colour image of {colour_side}×{colour_side} pixels, save images.reshape(-1, {square}, "
            f"3), or images.reshape(-1, 3, {square}).transpose(0, 2, 3, 1) if the channels are first, as in CIFAR-10"
        )
    return "reshape them, e.g. to (-1, height, width)"
