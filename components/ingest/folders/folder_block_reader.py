"""FolderBlockReader: decodes the pictures of one block."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from components.ingest.bad_rows import bad_row
from components.ingest.folders.picture_pool import map_parts
from components.ingest.read_plan import BlockReader, Part, part_without
from serving.batch.folders.picture_files import decode_files
from serving.batch.inputs.open_file import shown
from serving.blocks import Colour

# Size of the images that one thread or process decodes at once, and their largest number. Linux takes longer to write
# larger parts (decision 017).
PART_BYTES = 3 << 18
PART_ROWS = 256


@dataclass(frozen=True)
class FolderBlockReader(BlockReader):
    """Pictures of one block. Paths and labels are plain values, because Beam pickles readers several times.

    Attributes:
        root: the set's folder.
        paths: of the pictures, below the root, in order.
        labels: of the pictures.
        image_shape: (height, width, channels) of every image.
        resize: whether pictures of other sizes are resized to `image_shape`.
        background: what transparent pictures are laid on; None refuses them.
        small: whether the files are small on average.
    """

    root: Path
    paths: tuple[str, ...]
    labels: tuple[int, ...]
    image_shape: tuple[int, int, int]
    resize: bool
    background: Colour | None
    small: bool

    @property
    def files(self) -> tuple[str, ...]:
        r"""Each picture's path below the set's folder; bytes that are not UTF-8 are written as \xff."""
        return tuple(map(shown, self.paths))

    def read_parts(self) -> Iterator[Part]:
        """Decodes the pictures with the scorer's decoder: uint8 (m, h, w, c) and int64 (m,)."""
        rows = max(1, min(PART_ROWS, PART_BYTES // math.prod(self.image_shape)))
        starts = range(0, len(self.paths), rows)
        decode = partial(decode_files, str(self.root), self.image_shape, self.resize, self.background)
        parts = map_parts(decode, [self.paths[start : start + rows] for start in starts], self.small)
        for start, (images, errors) in zip(starts, parts, strict=True):
            labels = np.array(self.labels[start : start + rows], np.int64)
            bad = [
                bad_row(shown(self.paths[start + index]), -1, start + index, error, self.image_shape)
                for index, error in errors
            ]
            yield part_without(images, labels, [index for index, _ in errors], bad)
