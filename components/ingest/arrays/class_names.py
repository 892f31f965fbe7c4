"""An array of names, or the labels -> the class names of a set of arrays."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from components.ingest.arrays.array_location import TEXT, UnpackedArray
from components.ingest.read_options import MAX_CLASSES
from serving.batch.inputs.open_file import shown
from serving.errors import InputError


def read_names(stored: UnpackedArray) -> tuple[str, ...]:
    """The names in an array of text.

    Raises:
        InputError: the array has another type or shape, or a name occurs twice.
    """
    array = stored.open(TEXT)
    if len(array.layout.shape) != 1 or not 1 <= array.rows <= MAX_CLASSES:
        raise InputError(
            f"{array.name} has shape {array.layout.shape}, class names are (n,) with n from 1 to {MAX_CLASSES:,}: "
            "save one name for each label"
        )
    try:
        values = stored.read(0, array.rows, TEXT).tolist()
        names = tuple(value.decode() if isinstance(value, bytes) else value for value in values)
        for name in names:
            name.encode()
    except (ValueError, SystemError) as error:
        # numpy raises SystemError for code points beyond Unicode.
        raise InputError(f"{array.name} holds names that are not valid text ({error}): save them as text") from error
    labels: dict[str, int] = {}
    for label, name in enumerate(names):
        if labels.setdefault(name, label) != label:
            raise InputError(
                f"{array.name} holds {name!r} for the labels {labels[name]} and {label}: give each its own name"
            )
    return names


def count_classes(labels: Iterable[UnpackedArray]) -> int:
    """The largest label plus one; 1 if no label is a whole number above 0. Raises: InputError: a label is too large.

    Args:
        labels: (n,) or (n, 1), of any numeric type.
    """
    largest = 0
    for stored in labels:
        start = 0
        for piece in stored.pieces():
            values = piece.reshape(-1)
            if values.dtype.kind == "f":
                values = np.where(np.isfinite(values) & (values == np.floor(values)), values, 0)
            row = int(values.argmax())
            largest = max(largest, int(values[row]))
            if largest >= MAX_CLASSES:
                raise InputError(
                    f"{shown(stored.name)} has the label {values[row]} in row {start + row:,}: correct it, or give the "
                    "number of classes with --ingest.classes"
                )
            start += len(values)
    return 1 + largest
