"""NpyWriter: a .npy file that grows by parts, so that it is never in memory as a whole.

On a full disk it raises the system's error, which `np.save` replaces by two numbers.
"""

from __future__ import annotations

from typing import IO, Any

import numpy as np
import numpy.typing as npt


class NpyWriter:
    """Appends rows to an open, empty file; `finish` completes its header.

    Attributes:
        rows: the number of rows so far.
    """

    def __init__(self, file: IO[bytes]) -> None:
        """Takes an empty file."""
        self._file = file
        self._first: npt.NDArray[Any] | None = None
        self.rows = 0

    def append(self, values: npt.NDArray[Any]) -> None:
        """Writes rows; all parts have the same type and the same shape except for the number of rows."""
        values = np.ascontiguousarray(values)
        if self._first is None:
            self._first = values[:0]
            self._write_header(self._first)
        self._file.write(values.data)
        self.rows += len(values)

    def finish(self) -> None:
        """Writes the number of rows into the header; at least one part was appended."""
        assert self._first is not None
        # numpy's header has the same length for every number of rows, so that arrays can grow.
        self._file.seek(0)
        self._write_header(self._first)

    def _write_header(self, first: npt.NDArray[Any]) -> None:
        described = np.lib.format.dtype_to_descr(first.dtype)
        header = {"descr": described, "fortran_order": False, "shape": (self.rows, *first.shape[1:])}
        np.lib.format.write_array_header_1_0(self._file, header)
