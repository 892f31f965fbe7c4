"""The bytes of a PNG file -> its header, and its pixels still filtered; every checksum is verified."""

from __future__ import annotations

import re
import struct
import zlib
from typing import NamedTuple

from serving.batch.decoding.picture_error import ANIMATED, PictureError, damaged, sixteen_bits

MAGIC = b"\x89PNG\r\n\x1a\n"
PIXELS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
ANIMATION = {b"acTL", b"fcTL", b"fdAT"}
GREY, PALETTE = 0, 3
# By colour type: the number of channels, and the allowed bits per channel.
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
DEPTHS = {0: (1, 2, 4, 8), 2: (8,), 3: (1, 2, 4, 8), 4: (8,), 6: (8,)}
HEADER = struct.Struct(">IIBBBBB")
CHUNK_HEAD = struct.Struct(">I4s")
# Adam7: the first column and row of each pass, and the steps to the next ones.
PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))

# Chunks that may appear anywhere and do not change a pixel, such as times and texts.
ANCILLARY = rb"(?: (?!tRNS)[a-z][A-Za-z]{3})*"
ORDER = re.compile(
    rb"IHDR" + ANCILLARY + rb"(?: PLTE" + ANCILLARY + rb")?(?: tRNS" + ANCILLARY + rb")?(?: IDAT)+" + ANCILLARY
)


# The chunks of most files; their order is known to be valid.
USUAL = [b"IHDR", b"IDAT", b"IEND"]


class PngFile(NamedTuple):
    """A PNG file whose structure was checked.

    Attributes:
        width: in pixels.
        height: in pixels.
        depth: bits per channel, 1 to 8.
        colour: PNG's number of the colour type.
        interlaced: whether the pixels are stored in seven passes.
        chunks: kind and body of each chunk that affects a pixel, in order.
    """

    width: int
    height: int
    depth: int
    colour: int
    interlaced: bool
    chunks: list[tuple[bytes, bytes]]

    @property
    def is_plain(self) -> bool:
        """Whether the pixels are stored in rows of whole bytes, and none of them is transparent by its colour."""
        whole_bytes = self.depth == 8 and self.colour != PALETTE and not self.interlaced
        return whole_bytes and all(kind != b"tRNS" for kind, _ in self.chunks)

    @property
    def unpacked_bytes(self) -> int:
        """The size of all pixels without compression, with a byte for the filter of each row."""
        row_bits = self.depth * CHANNELS[self.colour]
        if not self.interlaced:
            return self.height * (1 + -(-self.width * row_bits // 8))
        sizes = [(-(-(self.width - x) // dx), -(-(self.height - y) // dy)) for x, y, dx, dy in PASSES]
        # A pass without columns has no rows.
        return sum(rows * (1 + -(-columns * row_bits // 8)) for columns, rows in sizes if columns > 0)

    def unpack(self) -> bytes:
        """The rows of pixels, each after its filter.

        Raises: PictureError: their number differs from the header; Pillow would silently fill in black pixels.
        """
        bodies = [body for kind, body in self.chunks if kind == b"IDAT"]
        unpacking = zlib.decompressobj()
        try:
            rows = unpacking.decompress(bodies[0] if len(bodies) == 1 else b"".join(bodies), self.unpacked_bytes + 1)
        except zlib.error as error:
            raise damaged("PNG picture", f"{error}") from error
        if len(rows) != self.unpacked_bytes or not unpacking.eof:
            raise damaged("PNG picture", "its pixels do not match its header")
        return rows

    def stripped(self) -> bytes:
        """The bytes of a PNG file with the same pixels and without metadata."""
        kept = (
            (kind, _scaled_key(body, self.depth) if (kind, self.colour) == (b"tRNS", GREY) else body)
            for kind, body in self.chunks
        )
        return MAGIC + b"".join(_chunk(kind, body) for kind, body in kept)


def read(content: bytes) -> PngFile:
    """Checks the structure and the checksums of a PNG file, and removes metadata: profiles, texts, times.

    Pillow does not verify the checksums of the pixel chunks, and warns about damaged metadata without a limit.

    Raises:
        PictureError: the picture is damaged, animated or has 16 bits per channel.
    """
    chunks = _chunks(content)
    kinds = [kind for kind, _ in chunks]
    if kinds != USUAL:
        if not ANIMATION.isdisjoint(kinds):
            raise PictureError(ANIMATED, "is animated", "save one of its frames")
        if not ORDER.fullmatch(b" ".join(kinds[:-1])):
            raise damaged("PNG picture", "its chunks are not in a valid order")
    header = chunks[0][1]
    if len(header) != HEADER.size:
        raise damaged("PNG picture", "its header has another length")
    width, height, depth, colour, compression, filters, interlaced = HEADER.unpack(header)
    if depth == 16:
        raise sixteen_bits(colour == GREY)
    if compression or filters or interlaced > 1 or depth not in DEPTHS.get(colour, ()):
        raise damaged("PNG picture", "its header is not valid")
    if colour == PALETTE and not _is_palette(dict(chunks).get(b"PLTE", b""), depth):
        raise damaged("PNG picture", "its palette is not valid")
    kept = chunks if kinds == USUAL else [chunk for chunk in chunks if chunk[0] in PIXELS]
    return PngFile(width, height, depth, colour, bool(interlaced), kept)


def _chunks(content: bytes) -> list[tuple[bytes, bytes]]:
    """The kind and body of every chunk, up to IEND."""
    chunks: list[tuple[bytes, bytes]] = []
    position, size, kind = len(MAGIC), len(content), b""
    while kind != b"IEND":
        if size < position + 12:
            raise damaged("PNG picture", "it is incomplete")
        length, kind = CHUNK_HEAD.unpack_from(content, position)
        start = position + CHUNK_HEAD.size
        end = start + length
        if size < end + 4:
            raise damaged("PNG picture", "it is incomplete")
        body = content[start:end]
        if zlib.crc32(body, zlib.crc32(kind)) != int.from_bytes(content[end : end + 4], "big"):
            raise damaged("PNG picture", f"the checksum of {kind!r} is wrong")
        chunks.append((kind, body))
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
