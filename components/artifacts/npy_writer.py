"""Arrays -> .npy files: whole, or by parts, so that an array is never in memory as a whole.

`numpy.save` is not used: if the disk becomes full at the end of the file, it loses up to 4 kB without an error; and
before the end, its error has two numbers in place of the system's words.
"""

from __future__ import annotations

from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


def write_array(path: Path, values: npt.NDArray[Any]) -> None:
    """Writes an array of numbers, with the bytes of `numpy.save`. Raises: OSError: not all of it could be written."""
    import numpy as np

    with path.open("wb") as file:
        _write_header(file, values.dtype, values.shape)
        file.write(np.ascontiguousarray(values).data)


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
        import numpy as np

        values = np.ascontiguousarray(values)
        if self._first is None:
            self._first = values[:0]
            _write_header(self._file, values.dtype, self._first.shape)
        self._file.write(values.data)
        self.rows += len(values)

    def finish(self) -> None:
        """Writes the number of rows into the header; at least one part was appended."""
        assert self._first is not None
        # numpy's header has the same length for every number of rows, so that arrays can grow.
        self._file.seek(0)
        _write_header(self._file, self._first.dtype, (self.rows, *self._first.shape[1:]))


def _write_header(file: IO[bytes], dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
    import numpy as np

    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
