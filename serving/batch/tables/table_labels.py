"""The column of labels of a table -> class numbers, in a file whose rows any thread reads by position."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping, Sequence

import numpy as np

from serving.batch.inputs.array_file import ArrayFile
from serving.batch.inputs.layout import Layout
from serving.batch.inputs.open_file import OpenFile, adopt
from serving.batch.label_values import numbers_of_names
from serving.batch.tables.columns import find_columns, listed
from serving.batch.tables.open_table import open_table
from serving.batch.tables.pixel_rows import unpack_error
from serving.batch.tables.table import Read
from serving.errors import InputError

NUMBER = re.compile(r"(-?\d{1,18})(?:\.0+)?")


def open_table_labels(file: OpenFile, class_names: Sequence[str]) -> ArrayFile:
    """Reads the labels of a table: int64 (n,), in an unnamed temporary file.

    A label is the name of a class, or its number, of the model whose names are given by label.

    Raises: InputError: there is no column of labels, or a label is not a class, or two.
    """
    table = open_table(file.path)
    column = table.columns[0].name if len(table.columns) == 1 else find_columns(table).label
    if column is None:
        names = [found.name for found in table.columns]
        raise InputError(
            f"{file.name} has the columns {listed(names)}, none of them named label: rename the column of labels"
        )
    numbers = {name: label for label, name in enumerate(class_names)}
    rows = 0
    try:
        with tempfile.TemporaryFile() as target:
            for batch in table.batches({column: Read.TEXT}):
                texts = batch.column(column).to_pylist()
                known = {text: _number(text, numbers, file.name) for text in dict.fromkeys(texts)}
                if None in known.values():
                    # Raises with the row and the nearest name.
                    numbers_of_names(np.array(texts, np.str_), {**numbers, **_found(known)}, rows, file.name)
                labels = np.array([known[text] for text in texts], np.int64)
                target.write(labels.data)
                rows += len(labels)
            target.flush()
            data = adopt(file.path, os.dup(target.fileno()))
    except OSError as error:
        raise unpack_error(file.path, error) from error
    return ArrayFile(file, data, Layout((rows,), np.dtype(np.int64), 0))


def _number(text: str, numbers: Mapping[str, int], name: str) -> int | None:
    """The number of a class by its name or number; None if it is neither. Raises: InputError: it is two classes."""
    named, match = numbers.get(text), NUMBER.fullmatch(text)
    if match is None or (named is not None and text != str(int(match[1]))):
        return named
    number = int(match[1])
    if named not in (None, number):
        raise InputError(
            f"{name} has the label {text}, which may be the class named {text} or the class number {number}: save the "
            "labels with numpy.save: as integers if they are numbers, or with .astype(str) if they are names"
        )
    return number


def _found(known: Mapping[str, int | None]) -> dict[str, int]:
    return {text: number for text, number in known.items() if number is not None}
