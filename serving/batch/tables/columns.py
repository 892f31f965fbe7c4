"""The columns of a table -> those of the pixels or pictures, of the label and of the split."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from serving.batch.inputs.open_file import shown
from serving.batch.tables.table import Kind, Read, Table
from serving.errors import InputError

# In lower case.
LABEL_NAMES = ("label", "labels", "class", "class_name", "class_label", "category", "target", "y", "cls", "digit")
SPLIT_NAMES = ("split", "subset", "partition")
# Before the number, the name that all columns of pixels share; some sets number rows and columns: 28x28.
PIXEL_NAME = re.compile(r"(?P<prefix>.*?)(?P<number>\d+)(?:[x_,](?P<second>\d+))?")
FEWEST_PIXELS = 4
MAX_LISTED = 8


@dataclass(frozen=True)
class TableColumns:
    """The columns that are read.

    Attributes:
        label: the label's; None if there is none.
        pixels: those of the pixels, in the pixels' order; empty if a row holds a whole picture or its name.
        picture: that of the pictures' bytes; None if there is none.
        split: that of the name of each row's split; None if there is none.
        unused: all others.
    """

    label: str | None
    pixels: tuple[str, ...]
    picture: str | None
    split: str | None
    unused: tuple[str, ...]


def find_columns(
    table: Table, label: str | None = None, image: str | None = None, only_header: bool = False
) -> TableColumns:
    """Finds the columns of a table by their types and names.

    Args:
        table: an open table.
        label: the label's column, if the user named it.
        image: the column of pictures, if the user named it.
        only_header: do not read the rows of a table without names of columns to find its label.

    Raises:
        InputError: there is no such column, or several columns may be meant.
    """
    names = [column.name for column in table.columns]
    for flag, given in (("label", label), ("image", image)):
        if given is not None and given not in names:
            raise InputError(
                f"--ingest.{flag}-column {given}: {shown(table.path)} has the columns {listed(names)}: give one of them"
            )
    picture = image or _picture_column(table)
    split = _named(table, SPLIT_NAMES, (label, picture))
    found = label or _label_column(table, (picture, split))
    numbers = [c.name for c in table.columns if c.kind is Kind.NUMBER and c.name not in (found, split)]
    pixels = () if picture is not None else _pixel_columns(table, numbers)
    if found is None and not table.has_header and picture is None and not only_header:
        found = _label_by_values(table, numbers)
        pixels = tuple(name for name in pixels if name != found)
    used = {found, picture, split, *pixels}
    return TableColumns(found, pixels, picture, split, tuple(name for name in names if name not in used))


def pixel_shape(pixels: int) -> tuple[int, int] | None:
    """Height and width of a square grey image with this number of pixels; None if there is none."""
    side = math.isqrt(pixels)
    return (side, side) if side * side == pixels else None


def listed(names: Sequence[str]) -> str:
    """Some names for a message."""
    more = f", … ({len(names):,} in all)" if len(names) > MAX_LISTED else ""
    return ", ".join(map(repr, names[:MAX_LISTED])) + more


def _picture_column(table: Table) -> str | None:
    found = [column.name for column in table.columns if column.kind is Kind.PICTURE]
    if len(found) > 1:
        raise InputError(
            f"{shown(table.path)} has the columns {listed(found)} of pictures: say which one holds the images with "
            "--ingest.image-column; to score, leave the others out"
        )
    return found[0] if found else None


def _label_column(table: Table, others: tuple[str | None, ...]) -> str | None:
    """The only column for which the file declares classes, or else the one with a name of labels."""
    declared = [name for name in table.class_names if name not in others]
    return declared[0] if len(declared) == 1 else _named(table, LABEL_NAMES, others)


def _named(table: Table, names: Sequence[str], others: tuple[str | None, ...]) -> str | None:
    """The only column with one of these names; None if there is none. Raises: InputError: there are several."""
    # TFX names features as paths: image/class/label.
    found = [c.name for c in table.columns if c.name.lower().split("/")[-1] in names and c.name not in others]
    if len(found) > 1:
        raise InputError(
            f"{shown(table.path)} has the columns {listed(found)}: say which one is the label with "
            "--ingest.label-column; to score, leave the others out"
        )
    return found[0] if found else None


def _pixel_columns(table: Table, numbers: Sequence[str]) -> tuple[str, ...]:
    """The columns of numbers that share a name before their number, ordered by it; none if these are few.

    Raises: InputError: as many share another name, as for three channels.
    """
    groups: defaultdict[str, list[tuple[int, int, str]]] = defaultdict(list)
    for name in numbers:
        if (match := PIXEL_NAME.fullmatch(name)) is not None:
            groups[match["prefix"]].append((int(match["number"]), int(match["second"] or 0), name))
    largest = max(groups.values(), key=len, default=[])
    if len(largest) < FEWEST_PIXELS:
        return ()
    alike = [group[0][2] for group in groups.values() if len(group) == len(largest)]
    if len(alike) > 1:
        raise InputError(
            f"{shown(table.path)} has {len(largest):,} columns like each of {listed(alike)}: give all pixels of an "
            "image one name, in the order of rows, columns and channels, such as pixel0, pixel1, …, and leave others "
            "out"
        )
    return tuple(name for *_, name in sorted(largest))


def _label_by_values(table: Table, numbers: Sequence[str]) -> str | None:
    """The first or the last column of a table without names: the one whose values differ, while the other is a border.

    Raises: InputError: both may be labels.
    """
    if len(numbers) < FEWEST_PIXELS or pixel_shape(len(numbers)) is not None:
        return None
    ends = numbers[0], numbers[-1]
    # The whole file is read: its first rows may be of one class.
    values: dict[str, set[str]] = {name: set() for name in ends}
    for batch in table.batches(dict.fromkeys(ends, Read.TEXT)):
        for name in ends:
            values[name].update(batch.column(name).unique().to_pylist())
    varied = [name for name in ends if len(values[name]) > 1]
    if len(varied) == 1:
        return varied[0]
    raise InputError(
        f"{shown(table.path)} has no names of columns, and its first and its last column may both be the label: say "
        f"which with --ingest.label-column {ends[0]} or {ends[1]}; to score, leave the label out"
    )
