"""Images of any shape -> RGB thumbnails, and many thumbnails as one image, which matplotlib draws fast."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

# A thumbnail is about fifty dots wide: larger images are averaged down to at most twice that.
MAX_SIDE = 128
WHITE = 255


def to_thumbnails(images: npt.NDArray[np.uint8], max_side: int = MAX_SIDE) -> npt.NDArray[np.uint8]:
    """Images as RGB: with fewer than three channels the first one as grey, with more the first three.

    Args:
        images: uint8 (n, h, w, c), 0 to 255.
        max_side: pixels of the longer side of a thumbnail, 1 or more.

    Returns:
        uint8 (n, h', w', 3); h' and w' are h and w, or h and w divided by the same integer.
    """
    colours = images[..., :3] if images.shape[-1] >= 3 else np.repeat(images[..., :1], 3, axis=-1)
    n, height, width, _ = colours.shape
    factor = -(-max(height, width) // max_side)
    if factor == 1:
        return colours
    tall, wide = max(height // factor, 1), max(width // factor, 1)
    blocks = colours[:, : tall * factor, : wide * factor].reshape(
        n, tall, min(factor, height), wide, min(factor, width), 3
    )
    averaged: npt.NDArray[np.uint8] = blocks.mean(axis=(2, 4)).round().astype(np.uint8)
    return averaged


def framed(thumbnails: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Thumbnails, uint8 (n, h, w, 3), with white beside narrow ones: no side is more than twice the other."""
    _, height, width, _ = thumbnails.shape
    above, beside = max(0, -(-width // 2) - height), max(0, -(-height // 2) - width)
    around = ((0, 0), (above // 2, above - above // 2), (beside // 2, beside - beside // 2), (0, 0))
    return np.pad(thumbnails, around, constant_values=WHITE)


def mosaic(thumbnails: npt.NDArray[np.uint8], places: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
    """Many thumbnails as one image, with a white line right of and below each.

    Args:
        thumbnails: uint8 (n, h, w, 3).
        places: int64 (rows, columns), the index of the thumbnail at each place; -1 leaves it white.

    Returns:
        uint8 (rows · h', columns · w', 3); h' and w' are h and w with the line.
    """
    # The blank is the last one, which index -1 selects.
    blank = np.full((1, *thumbnails.shape[1:]), WHITE, np.uint8)
    line = max(1, thumbnails.shape[2] // 16)
    placed = np.concatenate([thumbnails, blank])[places]
    spaced = np.pad(placed, ((0, 0), (0, 0), (0, line), (0, line), (0, 0)), constant_values=WHITE)
    rows, columns, height, width, _ = spaced.shape
    return spaced.transpose(0, 2, 1, 3, 4).reshape(rows * height, columns * width, 3)
