"""Labels of any kind -> plain labels, and the class names: text and one-hot rows become class numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from components.artifacts.npy_writer import NpyWriter
from components.ingest.arrays.array_location import NUMBERS, TEXT, UnpackedArray, scratch_file
from components.ingest.distinct_names import require_distinct_names
from components.ingest.natural_order import natural_key
from components.ingest.read_options import MAX_CLASSES
from serving.batch.inputs.open_file import shown
from serving.batch.label_values import is_one_hot, is_text, names_in, numbers_of_names, one_hot_numbers
from serving.errors import InputError

ANY = NUMBERS + TEXT
PLAIN, NAMES, ONE_HOT = "numbers", "text", "one-hot rows"


def plain_labels(
    stored: Mapping[str, UnpackedArray], class_names: tuple[str, ...] | None, scratch: Path
) -> tuple[dict[str, UnpackedArray], tuple[str, ...] | None]:
    """Converts the labels of all splits of a set.

    Args:
        stored: the labels of each split, in any form: numbers (n,) or (n, 1), one-hot rows (n, classes), or text.
        class_names: the class names of the set, if it has any.
        scratch: the folder of unpacked files, for the converted labels, int64 (n,).

    Returns:
        The labels of each split, numbers, and the class names: those given, or else the names in text labels, in
        natural order, or the numbers of the columns of one-hot rows. None if the labels are numbers.

    Raises:
        InputError: a row is not one-hot, a label is not a class, or the splits have labels of different kinds.
    """
    kinds = {split: _kind(labels) for split, labels in stored.items()}
    if class_names is None:
        _require_one_kind(stored, kinds)
    of_text = [labels for split, labels in stored.items() if kinds[split] == NAMES]
    if class_names is None and of_text:
        class_names = _sorted_names(of_text)
    for labels in (labels for split, labels in stored.items() if kinds[split] == ONE_HOT):
        width = labels.open().layout.shape[1]
        class_names = class_names or tuple(map(str, range(width)))
        if width != len(class_names):
            raise InputError(
                f"{shown(labels.name)} has one-hot labels of {width:,} classes, the set has {len(class_names):,}: "
                "save one column for each class"
            )
    plain = {split: _converted(labels, kinds[split], class_names, scratch) for split, labels in stored.items()}
    return plain, class_names


def digits_of_tens(stored: Mapping[str, UnpackedArray], scratch: Path) -> dict[str, UnpackedArray] | None:
    """Labels from 1 to 10, in which SVHN has 10 for the digit 0, as digits; None if these are other labels."""
    seen: set[int] = set()
    for labels in stored.values():
        if _kind(labels) != PLAIN or labels.open().layout.dtype.kind not in "iu":
            return None
        for values in labels.pieces(ANY):
            seen.update(np.unique(values).tolist())
            if not seen <= set(range(1, 11)):
                return None
    if 10 not in seen:
        return None
    return {split: write_labels(labels, scratch, lambda values, _: values % 10) for split, labels in stored.items()}


def write_labels(
    labels: UnpackedArray, scratch: Path, convert: Callable[[npt.NDArray[Any], int], npt.NDArray[Any]]
) -> UnpackedArray:
    """Writes converted labels as int64 (n,) to the folder of unpacked files.

    `convert` takes the labels of some rows, and the index of the first one.
    """
    file = scratch_file(scratch, labels.name / "numbers")
    # It is not mapped into memory: on a full disk, that would kill the process.
    with file.open("wb") as target:
        writer = NpyWriter(target)
        writer.append(np.zeros(0, np.int64))
        for values in labels.pieces(ANY):
            writer.append(convert(values, writer.rows).astype(np.int64).reshape(-1))
        writer.finish()
    return UnpackedArray(labels.name, file, labels.content)


def _kind(labels: UnpackedArray) -> str:
    layout = labels.open(ANY).layout
    if is_text(layout.dtype, layout.shape):
        return NAMES
    return ONE_HOT if is_one_hot(layout.dtype, layout.shape) else PLAIN


def _require_one_kind(stored: Mapping[str, UnpackedArray], kinds: Mapping[str, str]) -> None:
    first = next(iter(stored))
    for split, kind in kinds.items():
        if kind != kinds[first]:
            raise InputError(
                f"{shown(stored[first].name)} holds {kinds[first]} and {shown(stored[split].name)} {kind}: save the "
                "labels of all splits in one form"
            )


def _sorted_names(of_text: list[UnpackedArray]) -> tuple[str, ...]:
    found: set[str] = set()
    for labels in of_text:
        for values in labels.pieces(ANY):
            found.update(names_in(values, shown(labels.name)))
            if len(found) > MAX_CLASSES:
                raise InputError(
                    f"{shown(labels.name)} has more than {MAX_CLASSES:,} different labels: save the class of each "
                    "image as its label"
                )
    names = sorted(found, key=natural_key)
    require_distinct_names(of_text[0].name, names, "labels", "save one name for one class")
    return tuple(names)


def _converted(labels: UnpackedArray, kind: str, class_names: tuple[str, ...] | None, scratch: Path) -> UnpackedArray:
    if kind == NAMES:
        numbers = {name: label for label, name in enumerate(class_names or ())}
        return write_labels(
            labels, scratch, lambda values, start: numbers_of_names(values, numbers, start, shown(labels.name))
        )
    if kind == ONE_HOT:
        return write_labels(labels, scratch, lambda values, start: one_hot_numbers(values, start, shown(labels.name)))
    return labels
