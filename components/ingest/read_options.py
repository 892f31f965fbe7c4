"""ReadOptions: which rows of a data set are read, and how."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from serving.arguments.ranges import Range, require_ranges
from serving.batch.decoding.background import parse_colour
from serving.blocks import Colour
from serving.errors import InputError

# Limit for the pixels of one block.
BLOCK_BYTES = 1 << 26

# Limits for the side of a resized image, in pixels, and for the number of classes.
MAX_SIDE = 4096
MAX_CLASSES = 10_000


@dataclass(frozen=True)
class ReadOptions:
    """What to read.

    Attributes:
        train_split: the training rows in TFDS's slicing syntax, e.g. `train[:80%]`. Without both splits, a set of one
            split is cut into 80 and 20 %.
        test_split: the test rows, in the same syntax.
        validation_split: the rows that each epoch is scored with, in the same syntax; by default the set's own split of
            that name, unless the other splits take rows of it; `none` for none.
        resize: height and width of every image, in pixels.
        background: the colour that transparent pictures are laid on: `white`, `black` or `#rrggbb`; without it they are
            bad images.
        skip_bad: the largest number of bad images, e.g. damaged pictures, that are left out and listed; more refuse the
            data set.
        classes: the number of classes of arrays and tables without class names; by default the largest training label
            plus one.
        class_pattern: a regular expression that finds the class in each picture's path below the folder, as its only
            group, e.g. `([a-z]+)[.][0-9]`; by default the picture's folder is its class.
        label_column: the column of a table that holds the labels; by default the one that is named so.
        image_column: the column of a table that holds the pictures, or the names of their files; by default the only
            one.
        image_shape: height, width and channels of images whose pixels are in the columns of a table, in the order of
            the columns; by default a grey square.
        block_rows: maximum number of images in a block. Blocks of large images have fewer.
    """

    train_split: str | None = None
    test_split: str | None = None
    validation_split: str | None = None
    resize: Annotated[tuple[int, int] | None, Range(1, MAX_SIDE)] = None
    background: str | None = None
    skip_bad: Annotated[int, Range(0, 10**9)] = 0
    classes: Annotated[int | None, Range(1, MAX_CLASSES)] = None
    class_pattern: str | None = None
    label_column: str | None = None
    image_column: str | None = None
    image_shape: Annotated[tuple[int, int, int] | None, Range(1, MAX_SIDE)] = None
    block_rows: Annotated[int, Range(1, 10**9)] = 10_000

    def __post_init__(self) -> None:
        """Checks the ranges. Raises: InputError."""
        require_ranges(self, ReadOptions, "--ingest.")
        try:
            _ = self.colour
        except ValueError as error:
            raise InputError(f"--ingest.background: {error}: give white, black, or '#rrggbb' in quotes") from error

    @property
    def colour(self) -> Colour | None:
        """The background as red, green and blue, 0 to 255."""
        return None if self.background is None else parse_colour(self.background)

    def rows_per_block(self, shape: tuple[int, int, int]) -> int:
        """Number of images in a block, 1 or more; fewer for large images, because a whole block is in memory."""
        return max(1, min(self.block_rows, BLOCK_BYTES // math.prod(shape)))
