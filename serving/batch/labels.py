"""A file of labels -> int64 by row: numbers or one-hot rows in .npy or IDX, names in .npy, or a column of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from serving.batch.inputs.array_file import ArrayFile, open_array
from serving.batch.inputs.open_file import open_file
from serving.batch.label_values import is_one_hot, is_text, numbers_of_names, one_hot_numbers
from serving.batch.tables import open_table
from serving.errors import InputError


@dataclass(frozen=True, eq=False)
class Labels:
    """The label of each image, in the order of the images. Several threads may read at once.

    Attributes:
        file: numbers (n,) or (n, 1), one-hot rows (n, classes), or text (n,) or (n, 1).
        class_names: the model's, by label.
    """

    file: ArrayFile
    class_names: Sequence[str]

    @property
    def rows(self) -> int:
        """The number of labels."""
        return self.file.rows

    def read(self, start: int, stop: int) -> npt.NDArray[np.int64]:
        """The labels from `start` to before `stop`, int64 (m,): numbers are not checked against the classes.

        Raises: InputError: the file became shorter, a label is too large for int64, a row is not one-hot, or a text is
            not the name of a class.
        """
        layout = self.file.layout
        values: npt.NDArray[Any] = np.empty((stop - start, *layout.shape[1:]), layout.dtype)
        self.file.read_into(values, start)
        if is_text(layout.dtype, layout.shape):
            numbers = {name: label for label, name in enumerate(self.class_names)}
            return numbers_of_names(values, numbers, start, self.file.name)
        if is_one_hot(layout.dtype, layout.shape):
            return one_hot_numbers(values, start, self.file.name)
        if (values > np.iinfo(np.int64).max).any():
            raise InputError(f"{self.file.name} holds labels of 2⁶³ and more: save class numbers")
        return values.reshape(-1).astype(np.int64)

    @property
    def sha256(self) -> str:
        """A digest of the file's state."""
        return self.file.origin.sha256

    def require_unchanged(self) -> None:
        """Refuses a file that was modified since it was opened. Raises: InputError."""
        self.file.origin.require_unchanged()


def open_labels(path: Path, class_names: Sequence[str]) -> Labels:
    """Checks the header of a file of labels.

    Args:
        path: the file.
        class_names: the model's, by label.

    Raises:
        InputError: the file holds no array, or neither integers, one-hot rows nor text; it has another shape, or its
            size differs from its header.
    """
    file = open_file(path)
    if open_table.is_table(path, file.head(open_table.HEAD_BYTES), one_column=True):
        from serving.batch.tables.table_labels import open_table_labels

        return Labels(open_table_labels(file, class_names), class_names)
    array = open_array(file, "labels")
    dtype, shape = array.layout.dtype, array.layout.shape
    if is_one_hot(dtype, shape):
        if shape[1] != len(class_names):
            raise InputError(
                f"{array.name} has shape {shape}, the model has {len(class_names):,} classes: save one column for each "
                "class, or one class number for each image"
            )
    elif dtype.kind not in "iuUS" or not dtype.itemsize:
        kind = "records" if dtype.names else "Python objects" if dtype.hasobject else dtype.name
        raise InputError(
            f'{array.name} holds {kind}, labels are integers or names of classes: save them with .astype("int64"), or '
            "names with .astype(str)"
        )
    elif len(shape) not in (1, 2) or shape[1:] not in ((), (1,)):
        raise InputError(
            f"{array.name} has shape {shape}, labels are (n,) or (n, 1), or one-hot (n, classes): save one class "
            "number for each image"
        )
    array.require_whole()
    return Labels(array, class_names)
