"""A picture's file -> its size and whether it is coloured, from the first bytes."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import NamedTuple

from serving.inputs import jpeg, png
from serving.inputs.picture import MAX_PICTURE_BYTES, is_picture

# In most files the size stands here; a palette or a camera's notes may come before.
HEAD_BYTES = 1 << 12
# In a PNG file: after the magic, and the length and kind of the first chunk.
HEADER_OFFSET = len(png.MAGIC) + 8
COLOURED = (2, 6)


class Header(NamedTuple):
    """What a picture says of itself.

    Attributes:
        height: in pixels.
        width: in pixels.
        coloured: whether its pixels are, or may be, other than grey.
    """

    height: int
    width: int
    coloured: bool


def read_header(path: Path) -> Header | None:
    """Reads as little of a file as says it; None where it does not, which `read` of its slice tells."""
    try:
        with path.open("rb", buffering=0) as file:
            head = file.read(HEAD_BYTES)
            if not is_picture(head):
                return None
            try:
                return parse_header(head)
            except ValueError:
                return parse_header(head + file.read(MAX_PICTURE_BYTES))
    except (OSError, ValueError):
        return None


def parse_header(head: bytes) -> Header:
    """Finds the size in the first bytes of a PNG or JPEG file. Raises: ValueError, where it stands further on."""
    if head.startswith(jpeg.MAGIC):
        width, height, channels = jpeg.read_header(head)
        return Header(height, width, channels == 3)
    if len(head) < HEADER_OFFSET + png.HEADER.size:
        raise ValueError("its header was cut")
    width, height, _, colour, *_ = png.HEADER.unpack_from(head, HEADER_OFFSET)
    return Header(height, width, colour in COLOURED or (colour == png.PALETTE and _is_coloured(head)))


def _is_coloured(head: bytes) -> bool:
    """Whether a palette has a colour that is no grey."""
    place = len(png.MAGIC)
    while place + 8 <= len(head):
        length, kind = struct.unpack_from(">I4s", head, place)
        palette = head[place + 8 : place + 8 + length]
        if kind == b"PLTE" and len(palette) == length:
            return not palette[::3] == palette[1::3] == palette[2::3]
        place += 12 + length
    raise ValueError("its palette stands further on")
