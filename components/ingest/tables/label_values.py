"""The values of a column of labels -> class numbers and class names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from components.ingest.distinct_names import require_distinct_names
from components.ingest.natural_order import natural_key
from components.ingest.read_options import MAX_CLASSES
from serving.batch.inputs.open_file import shown
from serving.errors import InputError

if TYPE_CHECKING:
    import pyarrow

Labels = npt.NDArray[np.int64]
NUMBER = re.compile(r"(-?(?:0|[1-9]\d{0,17}))(?:\.0+)?")


class LabelledClasses(NamedTuple):
    """The labels of each split, int64 (n,), and the class names; None if the values are the class numbers."""

    labels: dict[str, Labels]
    class_names: tuple[str, ...] | None


class LabelValues:
    """Collects the values of a column of labels: each different value once, and its number for each row."""

    def __init__(self, path: Path, column: str) -> None:
        """`path` is that of the set, for messages."""
        self._path, self._column = path, column
        self._codes: dict[str, int] = {}
        self._parts: dict[str, list[Labels]] = {}

    def add(self, split: str, values: pyarrow.Array) -> None:
        """Appends text to a split. Raises: InputError: there are more values than classes can be."""
        encoded = values.dictionary_encode()
        known = [self._codes.setdefault(value, len(self._codes)) for value in encoded.dictionary.to_pylist()]
        if len(self._codes) > MAX_CLASSES:
            raise InputError(
                f"{shown(self._path)}: the column {self._column} has more than {MAX_CLASSES:,} different values, "
                "too many for a label: say which column is with --ingest.label-column"
            )
        self._parts.setdefault(split, []).append(np.array(known, np.int64)[encoded.indices.to_numpy()])

    def classes(self, declared: Sequence[str] | None) -> LabelledClasses:
        """The labels of all rows: the values themselves if all are whole numbers, else positions in the sorted names.

        `declared` are the class names by label, if the file has them.

        Raises: InputError: two names or numbers read the same, a number is not that of a class, or a value is blank.
        """
        values = list(self._codes)
        self._require_labels(values)
        matches = [NUMBER.fullmatch(value) for value in values]
        names: tuple[str, ...] | None
        if all(matches):
            numbers, names = [int(match[1]) for match in matches if match], None if declared is None else (*declared,)
            self._require_small(numbers)
        elif declared is not None and set(values) <= set(declared):
            numbers, names = [list(declared).index(value) for value in values], (*declared,)
        else:
            names = tuple(sorted(values, key=natural_key))
            require_distinct_names(self._path, names, "labels", "write both in one way")
            position = {name: number for number, name in enumerate(names)}
            numbers = [position[value] for value in values]
        table = np.array(numbers, np.int64)
        return LabelledClasses({split: table[np.concatenate(parts)] for split, parts in self._parts.items()}, names)

    def _require_labels(self, values: Sequence[str]) -> None:
        """Refuses blank text, and numbers in several forms: they would become classes of their own."""
        if any(not value.strip() for value in values):
            raise InputError(f"{self._place} has a label of spaces alone: write the class there, or remove the row")
        numbers = [number for value in values if (number := _number(value)) is not None]
        if len(numbers) < len(values):
            return
        known: dict[float, str] = {}
        for value, number in zip(values, numbers, strict=True):
            if not number.is_integer():
                raise InputError(
                    f"{self._place} has numbers and {value!r}, which is not a class number: labels are whole numbers "
                    "or names: correct it, or say which column is the label with --ingest.label-column"
                )
            other = known.setdefault(number, value)
            if other != value and not (NUMBER.fullmatch(other) and NUMBER.fullmatch(value)):
                raise InputError(f"{self._place} has {other!r} and {value!r}, the same number: write both in one way")

    def _require_small(self, numbers: Sequence[int]) -> None:
        if numbers and max(numbers) >= MAX_CLASSES:
            raise InputError(
                f"{self._place} has the label {max(numbers)}, class numbers are below {MAX_CLASSES:,}: correct it, or "
                "say which column is the label with --ingest.label-column"
            )

    @property
    def _place(self) -> str:
        return f"{shown(self._path)}: the column {self._column or 'of labels'}"


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
