"""A picture file -> its size and whether it has colours, from its first bytes."""

from __future__ import annotations

import hashlib
import struct
from contextlib import closing, suppress
from typing import NamedTuple

from serving.batch.decoding import jpeg, png
from serving.batch.decoding.orientation import swaps_sides
from serving.batch.decoding.picture import MAX_PICTURE_BYTES
from serving.batch.decoding.pillow_formats import FORMATS, read
from serving.batch.folders.file_pieces import read_pieces
from serving.batch.inputs.kinds import HEAD_BYTES as KIND_BYTES
from serving.batch.inputs.kinds import picture_kind

# Most headers fit in here. A palette or a camera's metadata can make a header longer.
HEAD_BYTES = 1 << 12
# In a PNG file: after the magic, and the length and kind of the first chunk.
HEADER_OFFSET = len(png.MAGIC) + 8
COLOURED = (2, 6)


class PictureHeader(NamedTuple):
    """The height and width of the upright picture in pixels, and whether pixels are, or may be, other than grey."""

    height: int
    width: int
    coloured: bool


def read_header(path: str) -> PictureHeader | None:
    """Reads as few bytes of a file as needed; None if the header cannot be read, which decoding reports later."""
    # Parsed at doubled lengths only: some formats need the whole file, and would be parsed again for each piece.
    head, parsed, due = bytearray(), 0, 0
    with suppress(OSError), closing(read_pieces(path, HEAD_BYTES)) as pieces:
        for piece in pieces:
            head += piece
            if picture_kind(bytes(head[:KIND_BYTES])) is None or len(head) > MAX_PICTURE_BYTES:
                return None
            if len(head) >= due:
                with suppress(ValueError):
                    return parse_header(bytes(head))
                parsed, due = len(head), 2 * len(head)
        if parsed < len(head):
            with suppress(ValueError):
                return parse_header(bytes(head))
    return None


def inspect(path: str) -> tuple[str, PictureHeader | None]:
    """The SHA-256 of a file, and the result of `read_header`, from one read. Raises: OSError."""
    digest = hashlib.sha256()
    header = None
    for number, piece in enumerate(read_pieces(path)):
        digest.update(piece)
        if number == 0 and picture_kind(piece) is not None:
            with suppress(ValueError):
                header = parse_header(piece)
    # A header that starts far behind is rare: such a file is read again.
    return digest.hexdigest(), header or read_header(path)


def parse_header(head: bytes) -> PictureHeader:
    """Parses the first bytes of a picture file. Raises: ValueError: the header is longer."""
    if (kind := picture_kind(head)) in FORMATS:
        found = read(str(kind), head)
        return _upright(found.width, found.height, found.coloured, found.orientation)
    if head.startswith(jpeg.MAGIC):
        width, height, channels, orientation = jpeg.read_header(head)
        return _upright(width, height, channels == 3, orientation)
    if len(head) < HEADER_OFFSET + png.HEADER.size:
        raise ValueError("the header is incomplete")
    width, height, _, colour, *_ = png.HEADER.unpack_from(head, HEADER_OFFSET)
    return PictureHeader(height, width, colour in COLOURED or (colour == png.PALETTE and _has_coloured_palette(head)))


def _upright(width: int, height: int, coloured: bool, orientation: int) -> PictureHeader:
    return PictureHeader(*((width, height) if swaps_sides(orientation) else (height, width)), coloured)


def _has_coloured_palette(head: bytes) -> bool:
    """Whether a palette has a colour other than grey. Raises: ValueError: the palette is not in these bytes."""
    offset = len(png.MAGIC)
    while offset + 8 <= len(head):
        length, kind = struct.unpack_from(">I4s", head, offset)
        palette = head[offset + 8 : offset + 8 + length]
        if kind == b"PLTE" and len(palette) == length:
            return not palette[::3] == palette[1::3] == palette[2::3]
        offset += 12 + length
    raise ValueError("the palette is not in the first bytes")
