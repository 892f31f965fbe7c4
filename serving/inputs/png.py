"""The bytes of a PNG file -> its size and the same picture without what is not pixels, every checksum held."""

from __future__ import annotations

import re
import struct
import zlib

MAGIC = b"\x89PNG\r\n\x1a\n"
PIXELS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
ANIMATION = {b"acTL", b"fcTL", b"fdAT"}
GREY, PALETTE = 0, 3
# By the number of the colour type: the channels, and how many bits they may have.
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
DEPTHS = {0: (1, 2, 4, 8), 2: (8,), 3: (1, 2, 4, 8), 4: (8,), 6: (8,)}
HEADER = struct.Struct(">IIBBBBB")
# Adam7: the first column and row of each pass, and the steps to its next ones.
PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))

# What may stand anywhere, such as times and texts, and does not change a pixel.
ANCILLARY = rb"(?: (?!tRNS)[a-z][A-Za-z]{3})*"
ORDER = re.compile(
    rb"IHDR" + ANCILLARY + rb"(?: PLTE" + ANCILLARY + rb")?(?: tRNS" + ANCILLARY + rb")?(?: IDAT)+" + ANCILLARY
)


def strip(content: bytes) -> tuple[int, int, bytes]:
    """Checks a PNG file and leaves out what is not pixels: profiles, texts, times.

    Pillow neither checks the sums of the pixels' own chunks when it loads them, nor bounds what it warns of in others.

    Args:
        content: the whole file.

    Returns:
        Width and height in pixels, and the bytes of a PNG file with the same pixels.

    Raises:
        ValueError: it is damaged, animated or has 16 bits a channel; the text says so of "the file".
    """
    chunks = _chunks(content)
    kinds = [kind for kind, _ in chunks]
    if not ANIMATION.isdisjoint(kinds):
        raise ValueError("is animated: save one of its pictures")
    if not ORDER.fullmatch(b" ".join(kinds[:-1])):
        raise ValueError("is a damaged PNG picture (its chunks stand in no valid order): mend or remove it")
    header = chunks[0][1]
    if len(header) != HEADER.size:
        raise ValueError("is a damaged PNG picture (its header has another length): mend or remove it")
    width, height, depth, colour, compression, filters, interlaced = HEADER.unpack(header)
    if depth == 16:
        raise ValueError("has 16 bits a channel, the model takes 8: save it with 8")
    if compression or filters or interlaced > 1 or depth not in DEPTHS.get(colour, ()):
        raise ValueError("is a damaged PNG picture (its header says what no picture is): mend or remove it")
    if colour == PALETTE and not _is_palette(dict(chunks).get(b"PLTE", b""), depth):
        raise ValueError("is a damaged PNG picture (its palette is none): mend or remove it")
    kept = [
        (kind, _scaled_key(body, depth) if (kind, colour) == (b"tRNS", GREY) else body)
        for kind, body in chunks
        if kind in PIXELS
    ]
    return width, height, MAGIC + b"".join(_chunk(kind, body) for kind, body in kept)


def require_pixels(stripped: bytes) -> None:
    """Refuses a picture whose packed pixels are too few or too many, of which Pillow makes black ones in silence.

    Args:
        stripped: what `strip` left, of a picture that is small enough to be decoded.

    Raises:
        ValueError: its pixels are not all there; the text says so of "the file".
    """
    chunks = _chunks(stripped)
    width, height, depth, colour, _, _, interlaced = HEADER.unpack(chunks[0][1])
    passes = PASSES if interlaced else ((0, 0, 1, 1),)
    sizes = [(-(-(width - x) // dx), -(-(height - y) // dy)) for x, y, dx, dy in passes]
    # Each row begins with its filter; a pass without columns has no rows.
    expected = sum(rows * (1 + -(-columns * depth * CHANNELS[colour] // 8)) for columns, rows in sizes if columns > 0)
    unpacking = zlib.decompressobj()
    try:
        unpacked = unpacking.decompress(b"".join(body for kind, body in chunks if kind == b"IDAT"), expected + 1)
    except zlib.error as error:
        raise ValueError(f"is a damaged PNG picture ({error}): mend or remove it") from error
    if len(unpacked) != expected or not unpacking.eof:
        raise ValueError("is a damaged PNG picture (it has not as many pixels as it says): mend or remove it")


def _chunks(content: bytes) -> list[tuple[bytes, bytes]]:
    """Kind and body of every chunk up to the last one, IEND."""
    chunks: list[tuple[bytes, bytes]] = []
    place = len(MAGIC)
    while not chunks or chunks[-1][0] != b"IEND":
        if len(content) < place + 12:
            raise ValueError("is a damaged PNG picture (it was cut short): mend or remove it")
        (length,) = struct.unpack_from(">I", content, place)
        end = place + 8 + length
        kind = content[place + 4 : place + 8]
        if len(content) < end + 4:
            raise ValueError("is a damaged PNG picture (it was cut short): mend or remove it")
        if zlib.crc32(content[place + 4 : end]) != int.from_bytes(content[end : end + 4], "big"):
            raise ValueError(f"is a damaged PNG picture (the checksum of {kind!r} is wrong): mend or remove it")
        chunks.append((kind, content[place + 8 : end]))
        place = end + 4
    return chunks


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _is_palette(body: bytes, depth: int) -> bool:
    return len(body) % 3 == 0 and 1 <= len(body) // 3 <= 1 << depth


def _scaled_key(body: bytes, depth: int) -> bytes:
    """The grey that is transparent, in 8 bits: Pillow scales the pixels of 1, 2 and 4 bits up, and not the key."""
    most = (1 << depth) - 1
    return struct.pack(">H", (int.from_bytes(body, "big") & most) * 255 // most) if len(body) == 2 else body
