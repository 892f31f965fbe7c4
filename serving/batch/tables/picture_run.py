"""PictureRun: pictures of one file -> their images; it may be decoded in another process."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from serving.batch.decoding.many_pictures import decode_all
from serving.batch.folders.picture_files import DecodedFiles
from serving.batch.tables.packed_pictures import Places
from serving.blocks import Colour


@dataclass(frozen=True)
class PictureRun:
    """Rows of a split: where their pictures are, and how messages name them.

    Attributes:
        split: the name of the set's own split.
        file: with the bytes of the pictures.
        places: int64 (n, 2): position and size of each picture in the file.
        rows: int64 (n,): of each picture, in its split.
    """

    split: str
    file: Path
    places: Places
    rows: npt.NDArray[np.int64]

    def parts(self, rows: int) -> Iterator[PictureRun]:
        """Runs of `rows` rows at most, in order."""
        for start in range(0, len(self.rows), rows):
            part = slice(start, start + rows)
            yield PictureRun(self.split, self.file, self.places[part], self.rows[part])


def decode_run(
    image_shape: tuple[int, int, int], resize: bool, background: Colour | None, run: PictureRun
) -> DecodedFiles:
    """Decodes the pictures of a run; the arguments are those of `decode_files`."""
    images = np.empty((len(run.places), *image_shape), np.uint8)
    with run.file.open("rb", buffering=0) as file:

        def contents() -> Iterator[bytes]:
            for offset, size in run.places.tolist():
                file.seek(offset)
                yield file.read(size)

        errors = decode_all(contents(), images, resize, background)
    return DecodedFiles(images, errors)
