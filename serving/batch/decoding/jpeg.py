"""The bytes of a JPEG file -> its header, and the same picture without metadata."""

from __future__ import annotations

import re
from typing import NamedTuple

from serving.batch.decoding.orientation import UPRIGHT, read_orientation
from serving.batch.decoding.picture_error import OTHER_PIXELS, PictureError, damaged

MAGIC = b"\xff\xd8\xff"

# A marker is one or more bytes FF, then a byte that is neither 00 nor FF. All decoders skip other bytes.
MARKER = re.compile(rb"\xff+([^\x00\xff])", re.DOTALL)
START_OF_IMAGE, END_OF_IMAGE, START_OF_SCAN = 0xD8, 0xD9, 0xDA
STANDALONE = (0x01, *range(0xD0, 0xD8))
# The start of a frame, with the size: C0 to CF, except the tables of Huffman and arithmetic codes.
FRAMES = tuple(marker for marker in range(0xC0, 0xD0) if marker not in (0xC4, 0xC8, 0xCC))
# The segment of EXIF data, and what they start with, after their length.
EXIF, EXIF_NAME = 0xE1, b"Exif\0\0"
# Comments, and application segments except JFIF and Adobe, which define the colour encoding.
METADATA = (0xFE, *(marker for marker in range(0xE0, 0xF0) if marker not in (0xE0, 0xEE)))


class JpegFile(NamedTuple):
    """A JPEG file whose structure was checked.

    Attributes:
        width: in pixels.
        height: in pixels.
        channels: 1 or 3.
        content: the whole file.
        orientation: how the stored pixels are turned, 1 to 8, as EXIF has it; 1 is upright.
        segments: start and end of each segment of the file, except metadata.
        scan: the position of the first compressed pixels in the file.
    """

    width: int
    height: int
    channels: int
    orientation: int
    content: bytes
    segments: list[tuple[int, int]]
    scan: int

    def stripped(self) -> bytes:
        """The bytes of a JPEG file with the same pixels and without metadata."""
        kept = [b"\xff" + self.content[start:end] for start, end in self.segments]
        return MAGIC[:2] + b"".join(kept) + self.content[self.scan :]


def read(content: bytes) -> JpegFile:
    """Checks the structure of a JPEG file, and finds its metadata: EXIF, profiles, comments, further pictures.

    Raises:
        PictureError: the picture is damaged, or neither grey nor RGB with 8 bits per channel.
    """
    segments: list[tuple[int, int]] = []
    header, orientation = None, UPRIGHT
    position = 2
    marker = 0
    while marker != START_OF_SCAN:
        marker, start, position = _segment(content, position)
        if marker in FRAMES:
            if header is not None:
                raise damaged("JPEG picture", "it has two sizes")
            header = _header(content[start:position])
        if marker == EXIF:
            orientation = _orientation(content[start:position], orientation)
        if marker not in METADATA:
            segments.append((start - 1, position))
    if header is None:
        raise damaged("JPEG picture", "it has no size")
    # Compressed pixels never contain this marker. Without it pixels are missing, and decoders would fill in grey ones.
    if content.rfind(bytes((0xFF, END_OF_IMAGE)), position) < 0:
        raise damaged("JPEG picture", "it is incomplete")
    return JpegFile(*header, orientation, content, segments, position)


def read_header(head: bytes) -> tuple[int, int, int, int]:
    """Reads the header from the first bytes of the file, at least up to the size.

    Returns: stored width and height in pixels, channels, 1 or 3, and the orientation, 1 to 8.

    Raises: PictureError: as `read`, or the head ends before the size.
    """
    orientation = UPRIGHT
    marker, start, position = _segment(head, 2)
    while marker not in FRAMES:
        if marker == EXIF:
            orientation = _orientation(head[start:position], orientation)
        marker, start, position = _segment(head, position)
    return *_header(head[start:position]), orientation


def _orientation(segment: bytes, known: int) -> int:
    """The orientation in a segment E1; the known one if the segment has other data, such as XMP."""
    name = segment[2 : 2 + len(EXIF_NAME)]
    return read_orientation(segment[2 + len(EXIF_NAME) :]) if name == EXIF_NAME else known


def _segment(content: bytes, position: int) -> tuple[int, int, int]:
    """The next marker, and the start and end of its content."""
    found = MARKER.search(content, position)
    if found is None:
        raise damaged("JPEG picture", "it is incomplete")
    marker, start = found[1][0], found.end()
    if marker in (START_OF_IMAGE, END_OF_IMAGE):
        raise damaged("JPEG picture", "it holds no pixels")
    if marker in STANDALONE:
        return marker, start, start
    end = start + int.from_bytes(content[start : start + 2], "big")
    if end < start + 2 or end > len(content):
        raise damaged("JPEG picture", "it is incomplete")
    return marker, start, end


def _header(frame: bytes) -> tuple[int, int, int]:
    """Width, height and channels from a frame's header."""
    if len(frame) < 8:
        raise damaged("JPEG picture", "its header is incomplete")
    bits, channels = frame[2], frame[7]
    if bits != 8:
        raise PictureError(OTHER_PIXELS, f"has {bits} bits per channel, the model takes 8", "save it with 8")
    if channels == 4:
        raise PictureError(OTHER_PIXELS, "is CMYK, the model takes RGB or grey", "convert it to RGB")
    if channels not in (1, 3):
        raise PictureError(OTHER_PIXELS, f"has {channels} channels, a JPEG picture has 1 or 3", "convert it to RGB")
    return int.from_bytes(frame[5:7], "big"), int.from_bytes(frame[3:5], "big"), channels
