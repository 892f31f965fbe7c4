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


@dataclass(frozen=True)
class PictureRun:
    """Rows of a split: where their pictures are, and how messages name them.

    Attributes:
        file: with the bytes of the pictures.
        places: int64 (n, 2): position and size of each picture in the file.
        rows: int64 (n,): of each picture, in its split.
    """

    file: Path
    places: Places
    rows: npt.NDArray[np.int64]


def decode_run(image_shape: tuple[int, int, int], resize: bool, run: PictureRun) -> DecodedFiles:
    """Decodes the pictures of a run; each error starts with a picture's row."""
    images = np.empty((len(run.places), *image_shape), np.uint8)
    with run.file.open("rb", buffering=0) as file:

        def contents() -> Iterator[bytes]:
            for offset, size in run.places.tolist():
                file.seek(offset)
                yield file.read(size)

        errors = decode_all(contents(), images, resize)
    return DecodedFiles(images, [f"row {run.rows[row]:,} {error}" for row, error in errors])
