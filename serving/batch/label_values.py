"""Labels as people save them -> int64: one-hot rows, and names of classes as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from serving.errors import InputError
from serving.suggestions import nearest


def is_text(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bool:
    """Whether an array is labels as text: (n,) or (n, 1), of characters or bytes."""
    return dtype.kind in "US" and (len(shape) == 1 or (len(shape) == 2 and shape[1] == 1))


def is_one_hot(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bool:
    """Whether an array has the shape of one-hot rows: (n, classes), 2 or more classes, of numbers or booleans."""
    return dtype.kind in "biuf" and len(shape) == 2 and shape[1] >= 2


def one_hot_numbers(values: npt.NDArray[Any], start: int, name: str) -> npt.NDArray[np.int64]:
    """The class of each one-hot row.

    Args:
        values: (m, classes), numbers or booleans.
        start: the index of the first row, for messages.
        name: the file of the labels, for messages.

    Returns:
        int64 (m,), 0 to classes - 1.

    Raises:
        InputError: a row is not a single 1 among zeros.
    """
    ones, zeros = values == 1, values == 0
    bad = np.flatnonzero((ones.sum(axis=1) != 1) | ~(ones | zeros).all(axis=1))
    if len(bad):
        row = int(bad[0])
        other = values[row][~(ones[row] | zeros[row])]
        fault = f"the value {other[0]}" if len(other) else f"{ones[row].sum():,} ones"
        raise InputError(
            f"{name} has one-hot labels of {values.shape[1]:,} classes, but row {start + row:,} has {fault}: save a "
            "single 1 and zeros in each row, or one class number for each image"
        )
    numbers: npt.NDArray[np.int64] = ones.argmax(axis=1).astype(np.int64)
    return numbers


def names_in(values: npt.NDArray[Any], name: str) -> list[str]:
    """The different names in labels, characters or bytes (m,) or (m, 1), in the order of characters.

    Raises:
        InputError: a name is empty, or not valid text.
    """
    found = _texts(np.unique(values), name)
    if "" in found:
        row = int((values.reshape(-1) == values.dtype.type()).argmax())
        raise InputError(f"{name} has an empty text as the label of row {row:,}: give every image its class")
    return found


def numbers_of_names(
    values: npt.NDArray[Any], labels: Mapping[str, int], start: int, name: str
) -> npt.NDArray[np.int64]:
    """The number of each name.

    Args:
        values: characters or bytes, (m,) or (m, 1).
        labels: the number of each class by its name.
        start: the index of the first row, for messages.
        name: the file of the labels, for messages.

    Returns:
        int64 (m,).

    Raises:
        InputError: a name is not valid text, or not a class; the message names the first such row.
    """
    different, inverse = np.unique(values.reshape(-1), return_inverse=True)
    texts = _texts(different, name)
    numbers = np.array([labels.get(text, -1) for text in texts], np.int64)[inverse]
    if len(unknown := np.flatnonzero(numbers < 0)):
        row = int(unknown[0])
        text = texts[inverse[row]]
        near = nearest(text, labels)
        advice = f"did you mean {near!r}?" if near is not None else "give a name of a class, or its number"
        raise InputError(f"{name} has the label {text!r} in row {start + row:,}, which is not a class: {advice}")
    return numbers


def _texts(values: npt.NDArray[Any], name: str) -> list[str]:
    """Characters or bytes (m,), as text. Raises: InputError: they are not valid text."""
    try:
        texts = [value.decode() if isinstance(value, bytes) else value for value in values.tolist()]
        for text in texts:
            text.encode()
    except (ValueError, SystemError) as error:
        # numpy raises SystemError for code points beyond Unicode.
        raise InputError(f"{name} holds labels that are not valid text ({error}): save them as text") from error
    return texts
