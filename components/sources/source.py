"""What ingest reads: a set of images with one label each, whatever keeps it, opened as slices that any worker reads."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt

# Of the pixels of a block, at most.
BLOCK_BYTES = 1 << 26

Images = npt.NDArray[Any]
Labels = npt.NDArray[Any]


@dataclass(frozen=True)
class Slice(ABC):
    """The rows of one block: all that a worker needs to read them, wherever it runs.

    Attributes:
        split: `train` or `test`: what the rows are for.
        index: the block's place among those of its split.
    """

    split: str
    index: int

    @abstractmethod
    def read(self) -> tuple[Images, Labels]:
        """Images (n, h, w, c) and labels (n,), in order; read again, they are the same.

        Images are uint8, 0 to 255, and labels int64, but for arrays that hold something else, which validate stops.

        Raises:
            InputError: rows cannot be read; every such row of the slice is named.
        """

    @property
    def files(self) -> tuple[str, ...]:
        """The file of each row, below the set's folder; empty where rows are no files of their own."""
        return ()


@dataclass(frozen=True)
class Wanted:
    """Which rows of a set are read, and how.

    Attributes:
        train_split: in TFDS's slicing syntax; None, with `test_split`, is what the set itself calls so.
        test_split: the same, for the rows that the gate looks at.
        block_rows: images a block at most, 1 or more.
        resize: height and width that every image gets; None leaves each as it is.
        classes: how many there are, where the set does not say; None is the greatest training label and one more.
    """

    train_split: str | None
    test_split: str | None
    block_rows: int
    resize: tuple[int, int] | None
    classes: int | None

    def rows_of_block(self, image_shape: tuple[int, int, int]) -> int:
        """Images a block: fewer where images are large, because a block is in memory as a whole."""
        return max(1, min(self.block_rows, BLOCK_BYTES // math.prod(image_shape)))


@dataclass(frozen=True)
class Opened:
    """A set of which everything is known but its pixels.

    Attributes:
        dataset: its name, e.g. `mnist`, `emnist/letters` or `folder:flowers`.
        version: its version; where it has none, a digest of its content.
        class_names: by integer label.
        image_shape: (height, width, channels) of every image, after it was resized.
        slices: of both splits, in order.
    """

    dataset: str
    version: str
    class_names: tuple[str, ...]
    image_shape: tuple[int, int, int]
    slices: tuple[Slice, ...]


@dataclass(frozen=True)
class Lack:
    """A data set that cannot be had.

    Attributes:
        tried: where it was looked for, and what came of it.
        remedy: what to do.
    """

    tried: str
    remedy: str


class Source(ABC):
    """A set of images with one label each, as the user named it."""

    @property
    @abstractmethod
    def model(self) -> str:
        """The name under which its models are promoted where the user gives none: a plain name, another set's never."""

    @property
    @abstractmethod
    def origin(self) -> str:
        """Where the set is or comes from, for a sentence that begins with its name: `is prepared in FOLDER`."""

    @property
    @abstractmethod
    def written(self) -> Path | None:
        """The folder that `prepare` writes to; None where it has nothing to write."""

    @abstractmethod
    def fingerprint(self) -> Mapping[str, str] | None:
        """What identifies the data, without decoding them; None while they are not there.

        Two sets with the same fingerprint have the same content, wherever they are. What was not touched since it was
        looked at last is not read again.

        Raises:
            InputError: what the user named is not what it should be.
        """

    @abstractmethod
    def prepare(self) -> None:
        """Brings the data where `open` finds them.

        Raises:
            InputError: no such set.
            BeamlineError: it cannot be had.
        """

    @abstractmethod
    def lack(self) -> Lack | None:
        """Why the set cannot be had, and how it could be; None where it is there or can be fetched."""

    @abstractmethod
    def open(self, wanted: Wanted, scratch: Path) -> Opened:
        """Finds out what there is to read.

        Args:
            wanted: which rows, and how.
            scratch: a folder for what has to be unpacked before slices can read it; it stays until all are read.

        Raises:
            InputError: no such split, no rows, rows in both splits, or images of different shapes.
        """
