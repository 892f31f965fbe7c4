"""How an array lies in a file: what the headers of .npy and IDX say."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np


class Layout(NamedTuple):
    """Where the values of an array stand, and what they are.

    Attributes:
        shape: one row of it is one image or label; no extent is negative.
        dtype: of the values.
        offset_bytes: where the first value stands.
        fortran: whether the first index runs fastest, and not the last one.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    offset_bytes: int
    fortran: bool = False

    @property
    def values_bytes(self) -> int:
        """What the values take, whether or not the file has them."""
        return math.prod(self.shape) * self.dtype.itemsize
