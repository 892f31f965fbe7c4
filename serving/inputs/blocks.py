"""What the scorer reads: blocks of uint8 images, by row, from whatever the user named."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Images = npt.NDArray[np.uint8]

# (row within the whole input, one sentence that names the file and says why it could not be read).
Unreadable = tuple[int, str]


@dataclass(frozen=True)
class Block:
    """Some of the images, in order.

    Attributes:
        images: uint8 (m, h, w, c), 0 to 255; rows that could not be read are all 0.
        unreadable: the rows that could not be read; only ever filled where bad pictures are skipped.
    """

    images: Images
    unreadable: tuple[Unreadable, ...]


class Source(ABC):
    """Images that were found and checked as far as their headers go. Every method may be called from any thread."""

    @property
    @abstractmethod
    def rows(self) -> int:
        """The number of images."""

    @property
    @abstractmethod
    def paths(self) -> tuple[Path, ...]:
        """Every file that is read."""

    @property
    @abstractmethod
    def named(self) -> bool:
        """Whether rows are files of their own, so that predictions have a column `file`."""

    @property
    @abstractmethod
    def described(self) -> str:
        """What was found, for a sentence: the file, and the shape of its images."""

    @abstractmethod
    def fits(self, image_shape: tuple[int, int, int]) -> bool:
        """Whether a model with this input, (height, width, channels), takes the images."""

    @abstractmethod
    def require_fit(self, image_shape: tuple[int, int, int]) -> None:
        """Refuses images that a model with this input, (height, width, channels), cannot take. Raises: InputError."""

    @property
    @abstractmethod
    def size_bytes(self) -> int:
        """Of all files together, as they were found."""

    @property
    @abstractmethod
    def mtime_ns(self) -> int:
        """When the content of one of the files was changed last."""

    @property
    @abstractmethod
    def sha256(self) -> str:
        """A digest of what tells the files from any others, and from themselves after a change; not of their bytes."""

    @abstractmethod
    def fill(self, images: Images, start: int) -> list[Unreadable]:
        """Reads images into memory, without mapping: a file cut short meanwhile is an error, not a crash.

        Args:
            images: uint8 (m, h, w, c), contiguous, of the model's shape; every pixel is written.
            start: the row of the first one.

        Returns:
            The rows that could not be read, whose pixels are all 0.

        Raises:
            InputError: the images have another shape, a file became shorter, or a picture cannot be read.
        """

    @abstractmethod
    def names(self, start: int, stop: int) -> list[str]:
        r"""The file of each row from `start` to before `stop`; bytes that are no UTF-8 are written as \xff."""

    @abstractmethod
    def require_unchanged(self) -> None:
        """Refuses files whose size or time of change is not what it was when they were found. Raises: InputError."""

    def read(self, start: int, stop: int, image_shape: tuple[int, int, int]) -> Block:
        """Reads some of the images, as `fill` does.

        Args:
            start: the first row.
            stop: the row after the last one, at most `rows`.
            image_shape: (height, width, channels) of the model's input.
        """
        images = np.empty((stop - start, *image_shape), np.uint8)
        return Block(images, tuple(self.fill(images, start)))
