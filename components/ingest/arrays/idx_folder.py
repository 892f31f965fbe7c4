"""A folder of IDX files -> the set of arrays in it, found by their names."""

from __future__ import annotations

import os
import re
from pathlib import Path

from components.ingest.arrays.array_location import ArrayLocation
from components.ingest.arrays.array_set import ArraySet, pair_arrays
from serving.batch.inputs.open_file import shown
from serving.errors import InputError

# The names of the files of MNIST, EMNIST and similar sets.
IDX_NAME = re.compile(
    r"(?P<prefix>[^.].*|)(?P<split>train|t10k|test)-(?P<content>images|labels)[-.]idx[13]-ubyte(?:\.gz)?", re.DOTALL
)
# By the name in the file's name.
SPLITS = {"train": "train", "t10k": "test", "test": "test"}


def find_idx_arrays(folder: Path) -> ArraySet:
    """Finds the IDX files of a folder by their names, without reading them.

    Raises:
        InputError: no IDX files, files of several sets, or images without labels.
    """
    names = set(_file_names(folder))
    # If a file is there both packed and unpacked, the unpacked one is used.
    names -= {f"{name}.gz" for name in names}
    matches = {name: match for name in sorted(names) if (match := IDX_NAME.fullmatch(name))}
    if not matches:
        raise InputError(
            f"{shown(folder)} holds no IDX files: give a folder with train-images-idx3-ubyte, train-labels-idx1-ubyte, "
            "t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, plain or .gz"
        )
    prefixes = {match["prefix"]: name for name, match in matches.items()}
    if len(prefixes) > 1:
        examples = ", ".join(map(shown, sorted(prefixes.values())))
        raise InputError(
            f"{shown(folder)} holds files of {len(prefixes)} sets ({examples}): give a folder with one of them"
        )
    found = [
        (SPLITS[match["split"]], match["content"], ArrayLocation(folder / name, None))
        for name, match in matches.items()
    ]
    return ArraySet(folder, tuple(matches), pair_arrays(folder, found), None)


def _file_names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError as error:
        raise InputError(f"{shown(folder)} cannot be read: {error.strerror}: make it readable") from error
