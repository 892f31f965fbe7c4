"""Values -> rows of characters, with numpy: a Python call for each number takes longer than scoring the image."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

# uint8 (n, width): UTF-8, one row per image, padded with PADDING.
Characters = npt.NDArray[np.uint8]

# Not a byte of UTF-8, so that it can be removed at any position.
PADDING = 0xFF
# The format of `fractions`: the significant digits that every float32 has.
NUMBER = "%.7g"
# Below this, NUMBER writes more than 7 decimals.
SMALLEST = 0.1
GROUP = 10_000


def integers(values: npt.NDArray[np.int64]) -> Characters:
    """Integers (n,), 0 or more, as `str` writes them."""
    width = len(str(int(values.max(initial=0))))
    written = _digits(values, width)
    leading = values[:, None] < 10 ** np.arange(width - 1, 0, -1)
    written[:, : width - 1][leading] = PADDING
    return written


def fractions(values: npt.NDArray[np.float32]) -> Characters:
    """Fractions (n,), 0 to 1, as NUMBER writes them."""
    if values.min(initial=1.0) < SMALLEST:
        return texts([NUMBER % value for value in values.tolist()])
    # The product is exact, as both factors have at most 24 bits; rint rounds halves to even, as Python does.
    scaled = np.rint(values.astype(np.float64) * 1e7).astype(np.int64)
    written = np.full((len(values), 9), ord("."), np.uint8)
    whole, rest = np.divmod(scaled, 10**7)
    written[:, 0] = whole + ord("0")
    written[:, 2:] = _digits(rest, 7)
    # Trailing zeros are removed, and then the point.
    zeros = np.logical_and.accumulate(written[:, :1:-1] == ord("0"), axis=1)[:, ::-1]
    written[:, 2:][zeros] = PADDING
    written[:, 1][zeros[:, 0]] = PADDING
    return written


def texts(values: Sequence[str]) -> Characters:
    """Texts, one per row."""
    encoded = [value.encode() for value in values]
    width = max(map(len, encoded), default=0)
    padded = b"".join(value.ljust(width, bytes([PADDING])) for value in encoded)
    return np.frombuffer(padded, np.uint8).reshape(len(encoded), width)


def lines(columns: Sequence[Characters | bytes], kept: npt.NDArray[np.bool_]) -> bytes:
    """Joins columns row by row, bytes repeated in each row; only rows kept, bool (n,), are written."""
    rows = len(kept)
    parts = [
        np.broadcast_to(np.frombuffer(column, np.uint8), (rows, len(column))) if isinstance(column, bytes) else column
        for column in columns
    ]
    written: Characters = np.concatenate(parts, axis=1)[kept]
    return bytes(written[written != PADDING].data)


def _digits(values: npt.NDArray[np.int64], width: int) -> Characters:
    """The last `width` digits of integers, with leading zeros."""
    groups = []
    for _ in range(-(-width // 4)):
        values, group = np.divmod(values, GROUP)
        groups.append(_table()[group])
    return np.concatenate(groups[::-1], axis=1)[:, -width:]


@cache
def _table() -> Characters:
    """The four digits of each number below GROUP."""
    return (np.arange(GROUP)[:, None] // [1000, 100, 10, 1] % 10 + ord("0")).astype(np.uint8)
