"""EXIF -> how the camera was held; and pixels, turned and mirrored so that the picture is upright."""

from __future__ import annotations

import struct

import numpy as np

from serving.blocks import Images

UPRIGHT = 1
TAG, SHORT = 0x0112, 3
# By the first two bytes: the byte order, as `struct` names it.
BYTE_ORDERS = {b"II": "<", b"MM": ">"}
ENTRY_BYTES = 12


def read_orientation(exif: bytes) -> int:
    """The orientation, 1 to 8, in EXIF data that start with their TIFF header; 1, upright, if there is none."""
    order = BYTE_ORDERS.get(exif[:2])
    if order is None or len(exif) < 8:
        return UPRIGHT
    (offset,) = struct.unpack_from(f"{order}I", exif, 4)
    entries = exif[offset + 2 :]
    count = int.from_bytes(exif[offset : offset + 2], "little" if order == "<" else "big")
    for start in range(0, min(count * ENTRY_BYTES, len(entries) - ENTRY_BYTES + 1), ENTRY_BYTES):
        tag, kind, _, value = struct.unpack_from(f"{order}HHIH", entries, start)
        if (tag, kind) == (TAG, SHORT):
            return value if 1 <= value <= 8 else UPRIGHT
    return UPRIGHT


def swaps_sides(orientation: int) -> bool:
    """Whether the upright picture is as wide as the stored one is high."""
    return orientation >= 5


def turn(pixels: Images, orientation: int) -> Images:
    """The upright picture of stored pixels, uint8 (h, w, c), C-contiguous; height and width may be swapped."""
    if orientation == UPRIGHT:
        return pixels
    if swaps_sides(orientation):
        pixels = pixels.transpose(1, 0, 2)
    vertically, horizontally = orientation in (3, 4, 7, 8), orientation in (2, 3, 6, 7)
    return np.ascontiguousarray(pixels[:: -1 if vertically else 1, :: -1 if horizontally else 1])
