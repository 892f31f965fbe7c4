"""The value of --dataset -> the data set's name and path."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from components.ingest.local_path import path_name
from serving.batch.inputs.open_file import shown
from serving.errors import InputError

LOCAL_KINDS = ("folder", "arrays", "table")
# What people write before the name of a set of the Hugging Face Hub.
HUB_KINDS = ("huggingface", "hf")
HUB_ADVICE = (
    "sets of the Hugging Face Hub are not fetched: download the set's Parquet files into a folder, e.g. with "
    "`hf download --repo-type dataset NAME --local-dir FOLDER`, and give table:FOLDER"
)
TFDS_NAME = re.compile(r"[A-Za-z]\w*(\.\w+)*(/[\w.-]+)?(:[\w.*]+)?")


class DatasetReference(NamedTuple):
    """A data set, as the user refers to it.

    Attributes:
        dataset: its name without its folder: `mnist`, `folder:flowers`, `arrays:digits`.
        path: its file or folder; None for a set of TensorFlow Datasets.
    """

    dataset: str
    path: Path | None


def parse_reference(value: str) -> DatasetReference:
    """Parses `folder:PATH`, `arrays:PATH`, `table:PATH`, or a name for TensorFlow Datasets.

    Raises: InputError: another form.
    """
    kind, _, path = value.partition(":")
    if kind in LOCAL_KINDS:
        if not path:
            raise InputError(f"--dataset {value} has no path: give {kind}:PATH")
        if shown(path) != path:
            raise InputError(f"--dataset {shown(value)}: the path is not UTF-8 and cannot be recorded: rename it")
        return DatasetReference(f"{kind}:{path_name(Path(path))}", Path(path))
    if kind in HUB_KINDS and path:
        raise InputError(f"--dataset {value}: {HUB_ADVICE}")
    if not TFDS_NAME.fullmatch(value):
        raise InputError(
            f"--dataset {value} is not the name of a data set: give a name in TensorFlow Datasets, e.g. mnist, "
            "emnist/letters or mnist:3.0.1, or folder:PATH for a folder with a folder for each class, arrays:PATH for "
            "a .npz or .mat file, or a folder of .npy, .npz, .mat or IDX files, or table:PATH for CSV, Parquet or JSON"
        )
    return DatasetReference(value, None)
