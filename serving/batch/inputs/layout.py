"""The layout of an array in a file, as the headers of .npy and IDX give it."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np


class Layout(NamedTuple):
    """The position and the type of an array's values.

    Attributes:
        shape: the first extent counts the rows, each an image or a label; no extent is negative.
        dtype: the type of the values.
        offset_bytes: the position of the first value.
        fortran: whether the first index varies fastest (Fortran order), not the last one.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    offset_bytes: int
    fortran: bool = False

    @property
    def values_bytes(self) -> int:
        """The size of the values according to the header; the file may be shorter."""
        return math.prod(self.shape) * self.dtype.itemsize
