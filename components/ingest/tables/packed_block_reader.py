"""PackedBlockReader: decodes pictures that lie in one file, each at its position."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from components.ingest.folders.folder_block_reader import PART_BYTES, PART_ROWS, refuse_pictures
from components.ingest.folders.picture_pool import map_parts
from components.ingest.read_plan import BlockReader, Images, Labels
from serving.batch.tables.picture_run import PictureRun, decode_run


@dataclass(frozen=True)
class PackedBlockReader(BlockReader):
    """Pictures of one block.

    Attributes:
        source: the user's file or folder, for messages.
        runs: in order.
        labels: int64 (n,), of all runs.
        image_shape: (height, width, channels) of every image.
        resize: whether pictures of other sizes are resized to `image_shape`.
        small: whether the pictures have few bytes on average.
    """

    source: Path
    runs: tuple[PictureRun, ...]
    labels: Labels
    image_shape: tuple[int, int, int]
    resize: bool
    small: bool

    def read_parts(self) -> Iterator[tuple[Images, Labels]]:
        """Decodes the pictures with the scorer's decoder: uint8 (m, h, w, c) and int64 (m,)."""
        rows = max(1, min(PART_ROWS, PART_BYTES // math.prod(self.image_shape)))
        parts = [
            PictureRun(run.file, run.places[start : start + rows], run.rows[start : start + rows])
            for run in self.runs
            for start in range(0, len(run.places), rows)
        ]
        errors: list[str] = []
        done = 0
        for decoded in map_parts(partial(decode_run, self.image_shape, self.resize), parts, self.small):
            errors += decoded.errors
            yield decoded.images, self.labels[done : done + len(decoded.images)]
            done += len(decoded.images)
        refuse_pictures(errors, self.source)
