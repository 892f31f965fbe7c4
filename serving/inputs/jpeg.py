"""The bytes of a JPEG file -> its size and the same picture without what is not pixels."""

from __future__ import annotations

import re

MAGIC = b"\xff\xd8\xff"

# A marker is any number of FF and a byte that is neither; what is no marker is skipped, as every decoder does it.
MARKER = re.compile(rb"\xff+([^\x00\xff])", re.DOTALL)
START_OF_IMAGE, END_OF_IMAGE, START_OF_SCAN = 0xD8, 0xD9, 0xDA
STANDALONE = (0x01, *range(0xD0, 0xD8))
# The start of a frame, which says the size: C0 to CF but for tables of Huffman and arithmetic codes.
FRAMES = tuple(marker for marker in range(0xC0, 0xD0) if marker not in (0xC4, 0xC8, 0xCC))
# Comments, and all that applications add but JFIF and Adobe, which say how the colours are written.
NOT_PIXELS = (0xFE, *(marker for marker in range(0xE0, 0xF0) if marker not in (0xE0, 0xEE)))


def strip(content: bytes) -> tuple[int, int, bytes]:
    """Leaves out what is not pixels: EXIF, profiles, comments, further pictures.

    Args:
        content: the whole file.

    Returns:
        Width and height in pixels, and the bytes of a JPEG file with the same pixels.

    Raises:
        ValueError: it is damaged, or neither grey nor RGB with 8 bits a channel; the text says so of "the file".
    """
    kept = [MAGIC[:2]]
    size = None
    place = 2
    while True:
        marker, start, place = _segment(content, place)
        if marker in FRAMES:
            if size is not None:
                raise ValueError("is a damaged JPEG picture (it has two sizes): mend or remove it")
            size = _size(content[start:place])
        if marker not in NOT_PIXELS:
            kept.append(b"\xff" + bytes([marker]) + content[start:place])
        if marker == START_OF_SCAN:
            break
    if size is None:
        raise ValueError("is a damaged JPEG picture (it has no size): mend or remove it")
    # Pixels are packed such that this stands nowhere in them; decoders make grey ones of those that are missing.
    if bytes((0xFF, END_OF_IMAGE)) not in content[place:]:
        raise ValueError("is a damaged JPEG picture (it was cut short): mend or remove it")
    return *size, b"".join(kept) + content[place:]


def read_header(head: bytes) -> tuple[int, int, int]:
    """Reads what the header says, without a look at the pixels.

    Args:
        head: the first bytes of the file, at least as far as its size stands.

    Returns:
        Width and height in pixels, and channels: 1 or 3.

    Raises:
        ValueError: as `strip` does, or the size stands further on.
    """
    marker, start, place = _segment(head, 2)
    while marker not in FRAMES:
        marker, start, place = _segment(head, place)
    return *_size(head[start:place]), head[start + 7]


def _segment(content: bytes, place: int) -> tuple[int, int, int]:
    """The next marker, where what follows it starts, and where that ends."""
    found = MARKER.search(content, place)
    if found is None:
        raise ValueError("is a damaged JPEG picture (it was cut short): mend or remove it")
    marker, start = found[1][0], found.end()
    if marker in (START_OF_IMAGE, END_OF_IMAGE):
        raise ValueError("is a damaged JPEG picture (it holds no pixels): mend or remove it")
    if marker in STANDALONE:
        return marker, start, start
    end = start + int.from_bytes(content[start : start + 2], "big")
    if end < start + 2 or end > len(content):
        raise ValueError("is a damaged JPEG picture (it was cut short): mend or remove it")
    return marker, start, end


def _size(frame: bytes) -> tuple[int, int]:
    """Width and height of a frame that can be taken."""
    if len(frame) < 8:
        raise ValueError("is a damaged JPEG picture (its header was cut): mend or remove it")
    bits, channels = frame[2], frame[7]
    if bits != 8:
        raise ValueError(f"has {bits} bits a channel, the model takes 8: save it with 8")
    if channels == 4:
        raise ValueError("is CMYK, the model takes RGB or grey: convert it to RGB")
    if channels not in (1, 3):
        raise ValueError(f"has {channels} channels, a JPEG picture has 1 or 3: convert it to RGB")
    return int.from_bytes(frame[5:7], "big"), int.from_bytes(frame[3:5], "big")
