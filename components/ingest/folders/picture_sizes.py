"""The headers of the pictures of a set -> the shape of all images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from serving.batch.folders.picture_header import PictureHeader


def image_shape(found: Iterable[PictureHeader | None], resize: tuple[int, int] | None) -> tuple[int, int, int]:
    """Height, width and channels of all images: the most frequent size, unless they are resized.

    Pictures of another size, and those without a readable header, are found by decoding.
    """
    headers = [header for header in found if header is not None]
    sizes = Counter((header.height, header.width) for header in headers)
    # If no header can be read, no picture can be decoded, and any shape will do.
    ((size, _),) = sizes.most_common(1) or [((1, 1), 0)]
    return *(resize or size), 3 if any(header.coloured for header in headers) else 1
