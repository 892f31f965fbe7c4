"""The filtered rows of PNG pictures -> their pixels, of many pictures in one call of Pillow."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from serving.blocks import Images

# Pillow's mode by the number of channels.
MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


def unfilter(pictures: Sequence[bytes], shape: tuple[int, int, int]) -> Images:
    """Applies the filters of the rows.

    Pillow's reader of PNG files takes five times as long for a small picture as the pixels themselves need. Its decoder
    of pixels can be called alone. One call decodes all pictures, one below the other.

    Args:
        pictures: of each, its rows of bytes, each after the number of its filter.
        shape: (height, width, channels) of every picture, channels 1 to 4.

    Returns: uint8 (n, height, width, channels).

    Raises: ValueError: a row has an unknown filter.
    """
    from PIL import Image

    height, width, channels = shape
    # PNG's filters refer to the row above, which is 0 above the first row of a picture.
    above = bytes(1 + width * channels)
    rows = b"".join([part for picture in pictures for part in (above, picture)])
    # The decoder takes a compressed stream: level 0 only copies, and these settings take the least memory.
    packing = zlib.compressobj(0, zlib.DEFLATED, 9, 1)
    stream = packing.compress(rows) + packing.flush()
    mode = MODES[channels]
    tall = Image.frombytes(mode, (width, len(pictures) * (height + 1)), stream, "zip", mode, 0)
    return np.asarray(tall).reshape(len(pictures), height + 1, width, channels)[:, 1:]
