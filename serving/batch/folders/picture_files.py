"""Paths of picture files -> their images, and the errors of those that cannot be used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from serving.batch.decoding.many_pictures import decode_all
from serving.batch.decoding.picture import MAX_PICTURE_BYTES
from serving.batch.decoding.picture_error import TOO_LARGE, UNREADABLE, PictureError
from serving.batch.folders.file_pieces import read_pieces
from serving.blocks import Colour, Images
from serving.faults.fault import OF_THE_MACHINE


class DecodedFiles(NamedTuple):
    """Images, uint8 (m, h, w, c), and the index and error of each one that cannot be used, in order."""

    images: Images
    errors: list[tuple[int, PictureError]]


def decode_files(
    root: str, image_shape: tuple[int, int, int], resize: bool, background: Colour | None, paths: Sequence[str]
) -> DecodedFiles:
    """Decodes pictures.

    Args:
        root: the folder of the files.
        image_shape: (height, width, channels) of every image.
        resize: whether pictures of other sizes are resized to `image_shape`.
        background: what transparent pictures are laid on; None refuses them.
        paths: of the files, below the root.
    """
    images = np.empty((len(paths), *image_shape), np.uint8)
    unreadable: list[tuple[int, PictureError]] = []
    errors = decode_all(_contents(root, paths, unreadable), images, resize, background)
    return DecodedFiles(images, sorted([*unreadable, *errors], key=lambda found: found[0]))


def _contents(root: str, paths: Sequence[str], unreadable: list[tuple[int, PictureError]]) -> Iterator[bytes | None]:
    """Yields the bytes of each file; None for one that cannot be read, which is added to `unreadable`."""
    for row, path in enumerate(paths):
        try:
            content = _read(f"{root}/{path}")
        except PictureError as error:
            unreadable.append((row, error))
            content = None
        yield content


def _read(path: str) -> bytes:
    """The bytes of a whole file.

    Raises: PictureError: it cannot be read, or is too large; OSError: the machine fails, which tells nothing about the
    picture.
    """
    pieces: list[bytes] = []
    size_bytes = 0
    try:
        for piece in read_pieces(path):
            pieces.append(piece)
            size_bytes += len(piece)
            if size_bytes > MAX_PICTURE_BYTES:
                fact = f"has more than {MAX_PICTURE_BYTES:,} bytes, which is too large for a picture"
                raise PictureError(TOO_LARGE, fact, "resize it")
    except OSError as error:
        if error.errno in OF_THE_MACHINE:
            raise OSError(error.errno, error.strerror, path) from error
        raise PictureError(UNREADABLE, f"cannot be read ({error.strerror})", "make it readable") from error
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
