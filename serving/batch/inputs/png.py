"""The bytes of a PNG file -> its size, and the same picture without metadata; every checksum is verified."""

from __future__ import annotations

import re
import struct
import zlib

MAGIC = b"\x89PNG\r\n\x1a\n"
PIXELS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
ANIMATION = {b"acTL", b"fcTL", b"fdAT"}
GREY, PALETTE = 0, 3
# By colour type: the number of channels, and the allowed bits per channel.
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
DEPTHS = {0: (1, 2, 4, 8), 2: (8,), 3: (1, 2, 4, 8), 4: (8,), 6: (8,)}
HEADER = struct.Struct(">IIBBBBB")
# Adam7: the first column and row of each pass, and the steps to the next ones.
PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))

# Chunks that may appear anywhere and do not change a pixel, such as times and texts.
ANCILLARY = rb"(?: (?!tRNS)[a-z][A-Za-z]{3})*"
ORDER = re.compile(
    rb"IHDR" + ANCILLARY + rb"(?: PLTE" + ANCILLARY + rb")?(?: tRNS" + ANCILLARY + rb")?(?: IDAT)+" + ANCILLARY
)


def strip(content: bytes) -> tuple[int, int, bytes]:
    """Checks the content of a PNG file and removes metadata: profiles, texts, times.

    Pillow does not verify the checksums of the pixel chunks, and warns about damaged metadata without a limit.

    Returns: width and height in pixels, and the bytes of a PNG file with the same pixels.

    Raises:
        ValueError: the picture is damaged, animated or has 16 bits per channel; the text continues a sentence that
            starts with the file's name.
    """
    chunks = _chunks(content)
    kinds = [kind for kind, _ in chunks]
    if not ANIMATION.isdisjoint(kinds):
        raise ValueError("is animated: save one of its frames")
    if not ORDER.fullmatch(b" ".join(kinds[:-1])):
        raise ValueError("is a damaged PNG picture (its chunks are not in a valid order): repair or remove it")
    header = chunks[0][1]
    if len(header) != HEADER.size:
        raise ValueError("is a damaged PNG picture (its header has another length): repair or remove it")
    width, height, depth, colour, compression, filters, interlaced = HEADER.unpack(header)
    if depth == 16:
        raise ValueError("has 16 bits per channel, the model takes 8: save it with 8")
    if compression or filters or interlaced > 1 or depth not in DEPTHS.get(colour, ()):
        raise ValueError("is a damaged PNG picture (its header is not valid): repair or remove it")
    if colour == PALETTE and not _is_palette(dict(chunks).get(b"PLTE", b""), depth):
        raise ValueError("is a damaged PNG picture (its palette is not valid): repair or remove it")
    kept = [
        (kind, _scaled_key(body, depth) if (kind, colour) == (b"tRNS", GREY) else body)
        for kind, body in chunks
        if kind in PIXELS
    ]
    return width, height, MAGIC + b"".join(_chunk(kind, body) for kind, body in kept)


def require_pixels(stripped: bytes) -> None:
    """Refuses a picture with too few or too many compressed pixels; Pillow would silently fill in black ones.

    Takes the result of `strip` for a picture that is small enough to decode.

    Raises: ValueError: the number of pixels differs from the header; the text is as for `strip`.
    """
    chunks = _chunks(stripped)
    width, height, depth, colour, _, _, interlaced = HEADER.unpack(chunks[0][1])
    passes = PASSES if interlaced else ((0, 0, 1, 1),)
    sizes = [(-(-(width - x) // dx), -(-(height - y) // dy)) for x, y, dx, dy in passes]
    # Each row starts with its filter; a pass without columns has no rows.
    expected = sum(rows * (1 + -(-columns * depth * CHANNELS[colour] // 8)) for columns, rows in sizes if columns > 0)
    unpacking = zlib.decompressobj()
    try:
        unpacked = unpacking.decompress(b"".join(body for kind, body in chunks if kind == b"IDAT"), expected + 1)
    except zlib.error as error:
        raise ValueError(f"is a damaged PNG picture ({error}): repair or remove it") from error
    if len(unpacked) != expected or not unpacking.eof:
        raise ValueError("is a damaged PNG picture (its pixels do not match its header): repair or remove it")


def _chunks(content: bytes) -> list[tuple[bytes, bytes]]:
    """The kind and body of every chunk, up to IEND."""
    chunks: list[tuple[bytes, bytes]] = []
    position = len(MAGIC)
    while not chunks or chunks[-1][0] != b"IEND":
        if len(content) < position + 12:
            raise ValueError("is a damaged PNG picture (it is incomplete): repair or remove it")
        (length,) = struct.unpack_from(">I", content, position)
        end = position + 8 + length
        kind = content[position + 4 : position + 8]
        if len(content) < end + 4:
            raise ValueError("is a damaged PNG picture (it is incomplete): repair or remove it")
        if zlib.crc32(content[position + 4 : end]) != int.from_bytes(content[end : end + 4], "big"):
            raise ValueError(f"is a damaged PNG picture (the checksum of {kind!r} is wrong): repair or remove it")
        chunks.append((kind, content[position + 8 : end]))
        position = end + 4
    return chunks


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _is_palette(body: bytes, depth: int) -> bool:
    return len(body) % 3 == 0 and 1 <= len(body) // 3 <= 1 << depth


def _scaled_key(body: bytes, depth: int) -> bytes:
    """The transparent grey value in 8 bits: Pillow scales pixels of 1, 2 and 4 bits to 8, but not this value."""
    most = (1 << depth) - 1
    return struct.pack(">H", (int.from_bytes(body, "big") & most) * 255 // most) if len(body) == 2 else body
