"""Pictures without class folders -> the advice for sets that keep the classes in names or in a file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from serving.batch.inputs.open_file import shown

# Finds cat in cat.12.png and in cat_12.png.
EXAMPLE = "([A-Za-z]+)[._-][0-9]"
# In the order in which they are tried.
PATTERNS = (EXAMPLE, "[0-9][._-]([A-Za-z]+)[.]", "([A-Za-z]+)[0-9]", "[._-]([A-Za-z0-9]+)[.]")
SUFFIXES = (".csv", ".tsv", ".json", ".jsonl", ".parquet")
# Largest number of classes that a message lists.
MAX_LISTED = 4


def classes_elsewhere(root: Path, pictures: Iterable[str]) -> str:
    """What to give if the class of a picture is in its name, or in a file beside the pictures; with examples."""
    tables = sorted(_tables(root))
    table = str(root) if len(tables) > 1 else tables[0] if tables else "FILE"
    in_file = f"if the class is in a file beside the pictures, give --dataset table:{shown(table)}"
    pattern, classes = example_pattern(pictures)
    if tables and not classes:
        return in_file
    listed = ", ".join(classes[:MAX_LISTED]) + (", …" if len(classes) > MAX_LISTED else "")
    finds = f", which finds the classes {listed}" if classes else ""
    in_name = (
        "if it is in each picture's name, give a regular expression whose group is the class, e.g. "
        f"--ingest.class-pattern '{pattern}'{finds}"
    )
    return f"{in_file}; {in_name}"


def example_pattern(pictures: Iterable[str]) -> tuple[str, Sequence[str]]:
    """A pattern that finds a class in the names of all pictures, and the classes, or else an example without classes.

    A pattern with one class, or with as many classes as pictures, is not a pattern of classes.
    """
    names = [os.path.basename(path) for path in pictures]
    for pattern in PATTERNS:
        found = [re.search(pattern, name) for name in names]
        classes = sorted({match[1] for match in found if match is not None})
        if all(found) and 1 < len(classes) < len(names):
            return pattern, classes
    return EXAMPLE, ()


def _tables(root: Path) -> Iterable[str]:
    for folder, _, files in os.walk(root):
        yield from (os.path.join(folder, name) for name in files if name.lower().endswith(SUFFIXES))
