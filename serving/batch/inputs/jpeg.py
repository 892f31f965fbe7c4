"""The bytes of a JPEG file -> its size, and the same picture without metadata."""

from __future__ import annotations

import re

MAGIC = b"\xff\xd8\xff"

# A marker is one or more bytes FF, then a byte that is neither 00 nor FF. All decoders skip other bytes.
MARKER = re.compile(rb"\xff+([^\x00\xff])", re.DOTALL)
START_OF_IMAGE, END_OF_IMAGE, START_OF_SCAN = 0xD8, 0xD9, 0xDA
STANDALONE = (0x01, *range(0xD0, 0xD8))
# The start of a frame, with the size: C0 to CF, except the tables of Huffman and arithmetic codes.
FRAMES = tuple(marker for marker in range(0xC0, 0xD0) if marker not in (0xC4, 0xC8, 0xCC))
# Comments, and application segments except JFIF and Adobe, which define the colour encoding.
METADATA = (0xFE, *(marker for marker in range(0xE0, 0xF0) if marker not in (0xE0, 0xEE)))


def strip(content: bytes) -> tuple[int, int, bytes]:
    """Removes metadata from the content of a JPEG file: EXIF, profiles, comments, further pictures.

    Returns: width and height in pixels, and the bytes of a JPEG file with the same pixels.

    Raises:
        ValueError: the picture is damaged, or neither grey nor RGB with 8 bits per channel; the text continues a
            sentence that starts with the file's name.
    """
    kept = [MAGIC[:2]]
    size = None
    position = 2
    while True:
        marker, start, position = _segment(content, position)
        if marker in FRAMES:
            if size is not None:
                raise ValueError("is a damaged JPEG picture (it has two sizes): repair or remove it")
            size = _size(content[start:position])
        if marker not in METADATA:
            kept.append(b"\xff" + bytes([marker]) + content[start:position])
        if marker == START_OF_SCAN:
            break
    if size is None:
        raise ValueError("is a damaged JPEG picture (it has no size): repair or remove it")
    # Compressed pixels never contain this marker. Without it pixels are missing, and decoders would fill in grey ones.
    if bytes((0xFF, END_OF_IMAGE)) not in content[position:]:
        raise ValueError("is a damaged JPEG picture (it is incomplete): repair or remove it")
    return *size, b"".join(kept) + content[position:]


def read_header(head: bytes) -> tuple[int, int, int]:
    """Reads the header from the first bytes of the file, at least up to the size.

    Returns: width and height in pixels, and channels: 1 or 3.

    Raises: ValueError: as `strip`, or the head ends before the size.
    """
    marker, start, position = _segment(head, 2)
    while marker not in FRAMES:
        marker, start, position = _segment(head, position)
    return *_size(head[start:position]), head[start + 7]


def _segment(content: bytes, position: int) -> tuple[int, int, int]:
    """The next marker, and the start and end of its content."""
    found = MARKER.search(content, position)
    if found is None:
        raise ValueError("is a damaged JPEG picture (it is incomplete): repair or remove it")
    marker, start = found[1][0], found.end()
    if marker in (START_OF_IMAGE, END_OF_IMAGE):
        raise ValueError("is a damaged JPEG picture (it holds no pixels): repair or remove it")
    if marker in STANDALONE:
        return marker, start, start
    end = start + int.from_bytes(content[start : start + 2], "big")
    if end < start + 2 or end > len(content):
        raise ValueError("is a damaged JPEG picture (it is incomplete): repair or remove it")
    return marker, start, end


def _size(frame: bytes) -> tuple[int, int]:
    """Width and height from a frame's header."""
    if len(frame) < 8:
        raise ValueError("is a damaged JPEG picture (its header is incomplete): repair or remove it")
    bits, channels = frame[2], frame[7]
    if bits != 8:
        raise ValueError(f"has {bits} bits per channel, the model takes 8: save it with 8")
    if channels == 4:
        raise ValueError("is CMYK, the model takes RGB or grey: convert it to RGB")
    if channels not in (1, 3):
        raise ValueError(f"has {channels} channels, a JPEG picture has 1 or 3: convert it to RGB")
    return int.from_bytes(frame[5:7], "big"), int.from_bytes(frame[3:5], "big")
