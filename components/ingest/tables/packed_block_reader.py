"""PackedBlockReader: decodes pictures that lie in one file, each at its position."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from components.ingest.bad_rows import bad_row
from components.ingest.folders.folder_block_reader import PART_BYTES, PART_ROWS
from components.ingest.folders.picture_pool import map_parts
from components.ingest.read_plan import BlockReader, Labels, Part, part_without
from serving.batch.tables.picture_run import PictureRun, decode_run
from serving.blocks import Colour


@dataclass(frozen=True)
class PackedBlockReader(BlockReader):
    """Pictures of one block.

    Attributes:
        runs: in order.
        labels: int64 (n,), of all runs.
        image_shape: (height, width, channels) of every image.
        resize: whether pictures of other sizes are resized to `image_shape`.
        background: what transparent pictures are laid on; None refuses them.
        small: whether the pictures have few bytes on average.
    """

    runs: tuple[PictureRun, ...]
    labels: Labels
    image_shape: tuple[int, int, int]
    resize: bool
    background: Colour | None
    small: bool

    def read_parts(self) -> Iterator[Part]:
        """Decodes the pictures with the scorer's decoder: uint8 (m, h, w, c) and int64 (m,)."""
        rows = max(1, min(PART_ROWS, PART_BYTES // math.prod(self.image_shape)))
        parts = [part for run in self.runs for part in run.parts(rows)]
        decode = partial(decode_run, self.image_shape, self.resize, self.background)
        first = 0
        for run, (images, errors) in zip(parts, map_parts(decode, parts, self.small), strict=True):
            bad = [
                bad_row(run.split, int(run.rows[index]), first + index, error, self.image_shape)
                for index, error in errors
            ]
            labels = self.labels[first : first + len(run.rows)]
            yield part_without(images, labels, [index for index, _ in errors], bad)
            first += len(run.rows)
