"""The path of tables -> the table files of each split, found by their names."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from components.ingest.natural_order import natural_key
from components.ingest.split_names import SPLITS, TRAIN
from serving.batch.inputs.open_file import shown
from serving.errors import InputError

SUFFIXES = (
    *(".csv", ".tsv", ".csv.gz", ".tsv.gz", ".parquet", ".json", ".jsonl", ".tar", ".tar.gz", ".tgz"),
    *(".tfrecord", ".tfrecords", ".array_record"),
)
# TensorFlow Datasets puts the number of a part behind the suffix.
PART = re.compile(r"-\d+-of-\d+$")
# Names of files that describe a set, and are not part of it.
DESCRIPTIONS = ("dataset_info.json", "dataset_infos.json", "dataset_dict.json", "features.json", "state.json")


@dataclass(frozen=True)
class TableFiles:
    """Where the tables of a set are.

    Attributes:
        root: the folder of the files, absolute.
        splits: the paths of the tables of each split below the root, in natural order; one or more of each.
    """

    root: Path
    splits: dict[str, tuple[str, ...]]

    @property
    def names(self) -> list[str]:
        """The paths of all tables below the root."""
        return [name for names in self.splits.values() for name in names]


def find_table_files(path: Path) -> TableFiles:
    """Finds tables in a folder and its subfolders, or takes a single one.

    A file belongs to the split that its name, or that of its folder, holds: `train-00000-of-00002.parquet`,
    `mnist_test.csv`, `valid/_classes.csv`. Files without a split's name are of the split `train` if there are no
    others, and their names differ only in numbers.

    Raises: InputError: the folder holds no tables, cannot be read, or one split in two formats.
    """
    if not path.is_dir():
        return TableFiles(path.parent, {TRAIN: (path.name,)})
    names = sorted(_tables_below(path), key=natural_key)
    if not names:
        raise InputError(
            f"{shown(path)} holds no tables: give a table ({', '.join(SUFFIXES)}), or a folder of them; of pictures in "
            f"a folder for each class, give folder:{shown(path)}"
        )
    splits: dict[str, list[str]] = {}
    for name in names:
        splits.setdefault(split_of(name) or _stem(name), []).append(name)
    if len(splits) == 1:
        splits = {key if key in SPLITS.values() else TRAIN: found for key, found in splits.items()}
    for split, found in splits.items():
        kinds = {_suffix(name).removesuffix(".gz"): name for name in found}
        if len(kinds) > 1:
            one, two, *_ = kinds.values()
            raise InputError(
                f"{shown(path)} holds {shown(one)} and {shown(two)}, both of the split {split}: keep one of them"
            )
    return TableFiles(path, {split: tuple(found) for split, found in splits.items()})


def split_of(name: str) -> str | None:
    """The split that a path or a word names; None if it names none, or two."""
    found = {SPLITS[word] for word in re.split(r"[^a-z]+", name.lower()) if word in SPLITS}
    return found.pop() if len(found) == 1 else None


def _tables_below(path: Path) -> list[str]:
    found: list[str] = []

    def refuse(error: OSError) -> None:
        raise InputError(
            f"{shown(error.filename or path)} cannot be read: {error.strerror}: make it readable, or move it away"
        ) from error

    for folder, folders, files in os.walk(path, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        inside = os.path.relpath(folder, path)
        for name in files:
            if _suffix(name) and not name.startswith(".") and name not in DESCRIPTIONS:
                found.append(name if inside == "." else f"{inside}/{name}")
    return found


def _suffix(name: str) -> str:
    plain = PART.sub("", name.lower())
    return max((suffix for suffix in SUFFIXES if plain.endswith(suffix)), key=len, default="")


def _stem(name: str) -> str:
    """A name that all files of one split have: without numbers and suffix."""
    stem = os.path.basename(PART.sub("", name))[: -len(_suffix(name))]
    return re.sub(r"[\W_]+", "_", re.sub(r"\d+(-of-\d+)?", "", stem)).strip("_") or TRAIN
