"""A file of labels -> int64 by row: .npy of any integer type, or an IDX file with one dimension."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from serving.batch.inputs.array_file import ArrayFile, open_array
from serving.batch.inputs.open_file import open_file
from serving.errors import InputError


@dataclass(frozen=True, eq=False)
class Labels:
    """The label of each image, in the order of the images. Several threads may read at once."""

    file: ArrayFile

    @property
    def rows(self) -> int:
        """The number of labels."""
        return self.file.rows

    def read(self, start: int, stop: int) -> npt.NDArray[np.int64]:
        """The labels from `start` to before `stop`, int64 (m,): they are not checked against the classes.

        Raises: InputError: the file became shorter, or a label is too large for int64.
        """
        values = np.empty(stop - start, self.file.layout.dtype)
        self.file.read_into(values, start)
        if (values > np.iinfo(np.int64).max).any():
            raise InputError(f"{self.file.name} holds labels of 2⁶³ and more: save class numbers")
        return values.astype(np.int64)

    @property
    def sha256(self) -> str:
        """A digest of the file's state."""
        return self.file.origin.sha256

    def require_unchanged(self) -> None:
        """Refuses a file that was modified since it was opened. Raises: InputError."""
        self.file.origin.require_unchanged()


def open_labels(path: Path) -> Labels:
    """Checks the header of a file of labels.

    Raises:
        InputError: the file holds no array or no integers, has another shape than (n,) or (n, 1), or its size differs
            from its header.
    """
    array = open_array(open_file(path), "labels")
    dtype, shape = array.layout.dtype, array.layout.shape
    if dtype.kind not in "iu":
        kind = "records" if dtype.names else "Python objects" if dtype.hasobject else dtype.name
        raise InputError(f'{array.name} holds {kind}, labels are integers: save them with .astype("int64")')
    if len(shape) not in (1, 2) or shape[1:] not in ((), (1,)):
        raise InputError(
            f"{array.name} has shape {shape}, labels are (n,) or (n, 1): save one class number for each image; "
            "convert one-hot rows with .argmax(axis=1)"
        )
    array.require_whole()
    return Labels(array)
