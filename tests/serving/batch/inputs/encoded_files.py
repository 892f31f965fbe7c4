"""IDX and PNG files, encoded from the definitions of their formats."""

from __future__ import annotations

import struct
import zlib

import numpy as np

GREY, RGB, PALETTE, GREY_ALPHA, RGB_ALPHA = 0, 2, 3, 4, 6
CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGB_ALPHA: 4}


def idx(array: np.ndarray, kind: int = 0x08) -> bytes:
    """An IDX file of bytes."""
    return struct.pack(f">HBB{array.ndim}I", 0, kind, array.ndim, *array.shape) + array.tobytes()


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk of a PNG file."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(samples: np.ndarray, colour: int, depth: int = 8, before: bytes = b"", after: bytes = b"") -> bytes:
    """A PNG file.

    Args:
        samples: (h, w, channels) as the colour type stores them, below 2 to the depth.
        colour: PNG's own number of the colour type.
        depth: bits a sample.
        before: chunks between the header and the pixels.
        after: chunks between the pixels and the end.
    """
    assert samples.shape[2] == CHANNELS[colour]
    return _png(samples.shape, colour, depth, 0, before, _rows(samples, depth), after)


def interlaced(pixels: np.ndarray, depth: int, colour: int) -> bytes:
    """A PNG file in seven passes (Adam7), of uint8 (h, w, 3), grey if the colour type is grey."""
    samples = (pixels if colour == RGB else pixels[..., :1]) // (255 if depth == 1 else 1)
    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    rows = b"".join(_rows(samples[y::dy, x::dx], depth) for y, x, dy, dx in passes if samples[y::dy, x::dx].size)
    return _png(samples.shape, colour, depth, 1, b"", rows, b"")


def _rows(samples: np.ndarray, depth: int) -> bytes:
    """Rows in the encoding of PNG, each after a zero byte: no filter."""
    rows = b""
    for row in samples.reshape(len(samples), -1).tolist():
        digits = "".join(format(sample, f"0{depth}b") for sample in row)
        digits += "0" * (-len(digits) % 8)
        rows += b"\0" + int(digits, 2).to_bytes(len(digits) // 8, "big")
    return rows


def _png(shape, colour: int, depth: int, passes: int, before: bytes, rows: bytes, after: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", shape[1], shape[0], depth, colour, 0, 0, passes)
    pixels = before + chunk(b"IDAT", zlib.compress(rows)) + after
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")


def palette(colours: np.ndarray, opacity: bytes = b"") -> bytes:
    """The chunks of a palette, uint8 (k, 3), and of the opacity of its first entries."""
    return chunk(b"PLTE", colours.astype(np.uint8).tobytes()) + (chunk(b"tRNS", opacity) if opacity else b"")
