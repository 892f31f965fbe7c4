"""Files -> blocks of images: .npy read in bounded pieces, its header believed only where the file bears it out."""

from __future__ import annotations

import math
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from serving.errors import InputError

Images = npt.NDArray[np.uint8]

# A header of the .npy format names a type and a shape; one that is longer is an attack or an accident.
MAX_HEADER_BYTES = 4096


@dataclass(frozen=True)
class ImageFile:
    """A .npy file of uint8 images whose header was checked against its size.

    Attributes:
        path: the file.
        shape: as stored: (n, h, w), (n, h, w, c) or (n, h·w·c).
        offset_bytes: where the first pixel stands.
    """

    path: Path
    shape: tuple[int, ...]
    offset_bytes: int

    @property
    def rows(self) -> int:
        """The number of images."""
        return self.shape[0]

    def fits(self, image_shape: tuple[int, int, int]) -> bool:
        """Whether each row is an image of (height, width, channels), flattened or grey without its channel."""
        height, width, channels = image_shape
        row = self.shape[1:]
        return row in ((height, width, channels), (height * width * channels,)) or (
            channels == 1 and row == (height, width)
        )

    def require_fit(self, image_shape: tuple[int, int, int]) -> None:
        """Refuses images that the model cannot take. Raises: InputError."""
        if not self.fits(image_shape):
            raise InputError(
                f"{self.path} holds images of shape {self.shape[1:]}, the model takes {image_shape} "
                "(height, width, channels), or the same flattened: resize them to fit"
            )

    def blocks(self, block_rows: int, image_shape: tuple[int, int, int]) -> Iterator[Images]:
        """Reads the images in order, without mapping: a file cut short meanwhile is an error, not a crash.

        Args:
            block_rows: at most so many images at once.
            image_shape: (height, width, channels) of the model's input, which the file must fit.

        Yields:
            uint8 (m, h, w, c), m = block_rows but in the last block.

        Raises:
            InputError: the images have another shape, or the file became shorter.
        """
        self.require_fit(image_shape)
        row_bytes = math.prod(image_shape)
        with self.path.open("rb", buffering=0) as file:
            file.seek(self.offset_bytes)
            for start in range(0, self.rows, block_rows):
                block = np.empty((min(block_rows, self.rows - start), *image_shape), np.uint8)
                if _read_into(file, block) != len(block) * row_bytes:
                    raise InputError(
                        f"{self.path} became shorter while it was read: write it whole, then score it again"
                    )
                yield block


def open_images(path: Path) -> ImageFile:
    """Checks a .npy file of images without reading them.

    Raises:
        InputError: no such file, no .npy file, another type than uint8, a shape that is no row of images,
            Fortran order, or a size that is not what the header says.
    """
    try:
        with path.open("rb") as file:
            shape, fortran, dtype = _read_header(file, path)
            offset_bytes = file.tell()
        size_bytes = path.stat().st_size
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}: give a .npy file of uint8 images") from error
    if dtype != np.uint8:
        raise InputError(
            f"{path} holds {dtype}, the model takes uint8 (0 to 255): "
            + ("save raw pixels" if dtype.hasobject or dtype.kind not in "fiub" else _cast_hint(dtype))
        )
    if len(shape) not in (2, 3, 4) or min(shape) < 0:
        raise InputError(f"{path} has shape {shape}, images are (n, h, w), (n, h, w, c) or (n, h·w·c): reshape it")
    if fortran and sum(extent > 1 for extent in shape) > 1:
        raise InputError(f"{path} is stored in Fortran order: save it with numpy.ascontiguousarray(images)")
    if size_bytes != offset_bytes + math.prod(shape):
        raise InputError(
            f"{path} has {size_bytes - offset_bytes:,} bytes of pixels, its header says {math.prod(shape):,} "
            f"for shape {shape}: it was cut or added to; write it again"
        )
    return ImageFile(path, shape, offset_bytes)


def _read_header(file: BinaryIO, path: Path) -> tuple[tuple[int, ...], bool, np.dtype[np.generic]]:
    try:
        version = np.lib.format.read_magic(file)
        read = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, fortran, dtype = read(file, max_header_size=MAX_HEADER_BYTES)
    except (ValueError, KeyError, SyntaxError, RecursionError, MemoryError, tokenize.TokenError) as error:
        # numpy parses the header as Python, and passes on what its tokenizer and parser raise.
        why = str(error).partition("\n")[0]
        raise InputError(f"{path} is not a .npy file ({why}): save the images with numpy.save") from error
    return shape, fortran, dtype


def _cast_hint(dtype: np.dtype[np.generic]) -> str:
    if dtype.kind == "f":
        return 'save them with .astype("uint8"), after multiplying by 255 where they run from 0 to 1'
    return 'save them with .astype("uint8")'


def _read_into(file: BinaryIO, block: Images) -> int:
    view = memoryview(block.data).cast("B") if block.size else memoryview(b"")
    done = 0
    while done < len(view):
        read = file.readinto(view[done:])  # type: ignore[attr-defined]
        if not read:
            break
        done += read
    return done
