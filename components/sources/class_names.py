"""An array of names, or the labels alone -> the names of a set's classes."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from components.sources.stored import TEXTS, Stored
from serving.errors import InputError

# A greater label is more often a mistake than a class.
MOST_CLASSES = 10_000
# Labels in memory at once.
CHUNK_ROWS = 1 << 20


def read_names(stored: Stored) -> tuple[str, ...]:
    """The names in an array.

    Raises:
        InputError: it is not one of texts, (classes,), each another.
    """
    array = stored.open(TEXTS)
    if len(array.layout.shape) != 1 or not 1 <= array.rows <= MOST_CLASSES:
        raise InputError(
            f"{array.name} has shape {array.layout.shape}: save 1 to {MOST_CLASSES:,} names, one for each label"
        )
    try:
        values = stored.read(0, array.rows, TEXTS).tolist()
        names = tuple(value.decode() if isinstance(value, bytes) else value for value in values)
        for name in names:
            name.encode()
    except (ValueError, SystemError) as error:
        # The second one is numpy's, of what is beyond all letters.
        raise InputError(f"{array.name} holds names that are no text ({error}): save them as text") from error
    labels: dict[str, int] = {}
    for label, name in enumerate(names):
        if labels.setdefault(name, label) != label:
            raise InputError(f"{array.name} holds {name!r} for {labels[name]} and for {label}: give each its own name")
    return names


def count_classes(labels: Iterable[Stored]) -> int:
    """The greatest label and one more; 1 where none is a whole number from 0 on.

    Args:
        labels: (n,) or (n, 1), of any type of numbers.

    Raises:
        InputError: one is too great.
    """
    return 1 + max((_greatest(stored) for stored in labels), default=0)


def _greatest(stored: Stored) -> int:
    greatest = 0
    array = stored.open()
    for start in range(0, array.rows, CHUNK_ROWS):
        values = stored.read(start, min(array.rows, start + CHUNK_ROWS)).reshape(-1)
        if values.dtype.kind == "f":
            values = np.where(np.isfinite(values) & (values == np.floor(values)), values, 0)
        row = int(values.argmax())
        greatest = max(greatest, int(values[row]))
        if greatest >= MOST_CLASSES:
            raise InputError(
                f"{array.name} has the label {values[row]} in row {start + row:,}: mend it, or say with "
                "--ingest.classes how many classes there are"
            )
    return greatest
