"""Sources of images, and the blocks of rows that are read from them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Images: TypeAlias = "npt.NDArray[np.uint8]"

# Red, green and blue, 0 to 255.
Colour = tuple[int, int, int]

# (row within the whole input, one sentence that names the file and the reason).
Unreadable = tuple[int, str]


class OtherSizes(Enum):
    """How images of another size than the model's are treated.

    REFUSED: refused. RESIZABLE: refused with the advice to resize them, which the model allows. RESIZED: resized as the
    training images were.
    """

    REFUSED = "refused"
    RESIZABLE = "resizable"
    RESIZED = "resized"

    def advice(self, images: str) -> str:
        """The end of a refusal; `images` is `it` or `them`."""
        if self is OtherSizes.RESIZABLE:
            return f"add --resize, which resizes {images} as the training images were"
        return f"resize {images} to fit, or train a model with --ingest.resize, which takes all sizes with --resize"


class Block(NamedTuple):
    """Rows that were read: images, uint8 (m, h, w, c), 0 to 255, and the unreadable rows, which are all 0."""

    images: Images
    unreadable: list[Unreadable]


@dataclass(frozen=True, eq=False, kw_only=True)
class Source(ABC):
    """Images whose headers were read and checked. Every method may be called from any thread.

    Attributes:
        rows: the number of images.
        paths: every file that is read.
        named: whether every row is a file, so that predictions have a column `file`.
        size_bytes: the size of all files together.
        mtime_ns: the latest time of change of the files' content.
        sha256: a digest that changes with the files' identity, size or time of change; not of their bytes.
        other_sizes: how images of another size than the model's are treated.
        left_out: the number of files in the named folders that are not read, by kind, as `FoundFiles` has it.
        pictures: whether rows are encoded pictures, so that some may be transparent.
        background: what transparent pictures are laid on, as the training images were; None refuses them.
    """

    rows: int
    paths: Sequence[str | Path]
    named: bool
    size_bytes: int
    mtime_ns: int
    sha256: str
    other_sizes: OtherSizes = OtherSizes.REFUSED
    left_out: Mapping[str, int] = field(default_factory=dict)
    pictures: bool = False
    background: Colour | None = None

    @property
    @abstractmethod
    def described(self) -> str:
        """The file and the shape of its images, for a message."""

    @abstractmethod
    def with_other_sizes(self, other_sizes: OtherSizes) -> Self:
        """The same images, with those of other sizes treated in another way."""

    def with_background(self, background: Colour | None) -> Self:
        """The same images, with transparent pictures laid on a colour."""
        return replace(self, background=background)

    @abstractmethod
    def fits(self, image_shape: tuple[int, int, int]) -> bool:
        """Whether a model with the input shape (height, width, channels) takes the images."""

    @abstractmethod
    def require_fit(self, image_shape: tuple[int, int, int]) -> None:
        """Refuses images that do not fit a model with this input shape; pictures but the first are checked later.

        Raises: InputError.
        """

    @abstractmethod
    def fill(self, images: Images, start: int) -> list[Unreadable]:
        """Reads images into memory. Files are not mapped: a file that is truncated meanwhile is an error, not a crash.

        Args:
            images: uint8 (m, h, w, c), contiguous, of the model's input shape; every pixel is written.
            start: the row of the first one.

        Returns: the unreadable rows; their pixels are all 0.

        Raises: InputError: the images have another shape, a file was truncated, or a picture cannot be read.
        """

    @abstractmethod
    def names(self, start: int, stop: int) -> list[str]:
        r"""The file of each row from `start` to before `stop`; bytes that are not UTF-8 are written as \xff."""

    @abstractmethod
    def require_unchanged(self) -> None:
        """Refuses files whose size or time of change differs since they were opened. Raises: InputError."""

    def read(self, start: int, stop: int, image_shape: tuple[int, int, int]) -> Block:
        """Reads the rows from `start` to before `stop`, as `fill` does."""
        import numpy as np

        images = np.empty((stop - start, *image_shape), np.uint8)
        return Block(images, self.fill(images, start))
