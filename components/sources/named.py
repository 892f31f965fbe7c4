"""What a user calls a data set -> its kind and its place."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from components.sources.naming import set_name
from serving.errors import InputError
from serving.inputs.open_file import shown

KINDS = ("folder", "arrays")
TFDS_NAME = re.compile(r"[A-Za-z]\w*(\.\w+)*(/[\w.-]+)?(:[\w.*]+)?")


class Named(NamedTuple):
    """A data set as it was called.

    Attributes:
        dataset: its name, which says what it is and not where: `mnist`, `folder:flowers`, `arrays:digits`.
        path: where it is; None for a set that TFDS finds by its name.
    """

    dataset: str
    path: Path | None


def parse(given: str) -> Named:
    """Reads the value of --dataset.

    Args:
        given: `folder:PATH`, `arrays:PATH`, or a name for TensorFlow Datasets.

    Raises:
        InputError: it is none of these.
    """
    kind, _, place = given.partition(":")
    if kind in KINDS:
        if not place:
            raise InputError(f"--dataset {given} says no place: give {kind}:PATH")
        if shown(place) != place:
            raise InputError(f"--dataset {shown(given)}: this path is no UTF-8, which no record can hold: rename it")
        return Named(f"{kind}:{set_name(Path(place))}", Path(place))
    if not TFDS_NAME.fullmatch(given):
        raise InputError(
            f"--dataset {given} is no data set's name: give the name of a TensorFlow Datasets set, e.g. mnist, "
            "emnist/letters or mnist:3.0.1, or folder:PATH for a folder with a folder for each class, or arrays:PATH "
            "for an .npz file or a folder of IDX files"
        )
    return Named(given, None)
