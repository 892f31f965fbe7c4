"""Images of any shape -> tiles of colour, and many tiles as one image: drawing one is what makes it fast."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from components.artifacts.examples import Examples

# A tile is some fifty dots wide: larger images are averaged down to at most twice that.
MOST_PIXELS = 128
WHITE = 255


def read_tiles(
    examples: Examples, split: str, rows: npt.NDArray[np.int64], most: int = MOST_PIXELS
) -> npt.NDArray[np.uint8]:
    """The images of some rows of a split, as `to_tiles` gives them, in the order of `rows`.

    Args:
        examples: where they are.
        split: which of its splits.
        rows: int64 (n,), indices into the split, in any order.
        most: pixels of the longer side of a tile.
    """
    images = np.zeros((len(rows), *examples.image_shape), np.uint8)
    first = 0
    for block in examples.blocks[split]:
        here = np.flatnonzero((rows >= first) & (rows < first + block.rows))
        if len(here):
            images[here] = examples.images(block)[rows[here] - first]
        first += block.rows
    return to_tiles(images, most)


def to_tiles(images: npt.NDArray[np.uint8], most: int = MOST_PIXELS) -> npt.NDArray[np.uint8]:
    """Images as red, green and blue; grey where they have no three channels, what is beyond three is left out.

    Args:
        images: uint8 (n, h, w, c), 0 to 255.
        most: pixels of the longer side of a tile, 1 or more.

    Returns:
        uint8 (n, h', w', 3); h' and w' are h and w, or a whole fraction of them that is small enough to draw.
    """
    shown = images[..., :3] if images.shape[-1] >= 3 else np.repeat(images[..., :1], 3, axis=-1)
    n, height, width, _ = shown.shape
    by = -(-max(height, width) // most)
    if by == 1:
        return shown
    tall, wide = max(height // by, 1), max(width // by, 1)
    blocks = shown[:, : tall * by, : wide * by].reshape(n, tall, -1, wide, min(by, width), 3)
    averaged: npt.NDArray[np.uint8] = blocks.mean(axis=(2, 4)).round().astype(np.uint8)
    return averaged


def framed(tiles: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Tiles of which no side is more than twice the other: white is added on both sides of a narrow one.

    Args:
        tiles: uint8 (n, h, w, 3).
    """
    _, height, width, _ = tiles.shape
    above, beside = max(0, -(-width // 2) - height), max(0, -(-height // 2) - width)
    around = ((0, 0), (above // 2, above - above // 2), (beside // 2, beside - beside // 2), (0, 0))
    return np.pad(tiles, around, constant_values=WHITE)


def mosaic(tiles: npt.NDArray[np.uint8], places: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
    """Many tiles as one image, with a white line right of and below each.

    Args:
        tiles: uint8 (n, h, w, 3).
        places: int64 (rows, columns), the index of the tile that stands there; -1 leaves it white.

    Returns:
        uint8 (rows · h', columns · w', 3); h' and w' are h and w with the line.
    """
    # The blank stands last, which is where -1 looks.
    blank = np.full((1, *tiles.shape[1:]), WHITE, np.uint8)
    line = max(1, tiles.shape[2] // 16)
    spaced = np.pad(
        np.concatenate([tiles, blank])[places], ((0, 0), (0, 0), (0, line), (0, line), (0, 0)), constant_values=WHITE
    )
    rows, columns, height, width, _ = spaced.shape
    return spaced.transpose(0, 2, 1, 3, 4).reshape(rows * height, columns * width, 3)
