"""A folder of pictures with their classes in their names -> its pictures by split."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from components.ingest.distinct_names import require_distinct_names
from components.ingest.folders.class_folders import SPLIT_NAMES, by_name_hash
from components.ingest.folders.elsewhere import EXAMPLE, example_pattern
from components.ingest.folders.labelled_pictures import LabelledPictures, Picture
from components.ingest.natural_order import natural_key
from serving.batch.folders.picture_walk import describe_left_out, irregular_reason, walk
from serving.batch.inputs.open_file import shown
from serving.errors import InputError

DEFAULT_SPLIT = "train"
MAX_NAMED = 5


def find_by_pattern(root: Path, pattern: str) -> LabelledPictures:
    """Finds the pictures of a folder and its subfolders; the class is what the pattern's group matches in the path.

    If all pictures lie in folders with names of splits, then these are the splits.

    Raises: InputError: the pattern is invalid or has not one group, there are no pictures, or the pattern does not
        match the path of one, or the names of two classes differ only in accents, case or spaces.
    """
    compiled = _compiled(pattern)
    if not root.is_dir():
        raise InputError(f"{shown(root)} is a file: give the folder that holds the pictures")
    files = walk(str(root))
    if files.irregular:
        first = root / files.irregular[0]
        raise InputError(f"{shown(first)} {irregular_reason(str(first))}")
    if not files.pictures:
        rest = f", but {describe_left_out(files.left_out)}" if files.left_out else ""
        raise InputError(f"{shown(root)} holds no pictures{rest}: give the folder that holds them")
    in_splits = all(_top(path) in SPLIT_NAMES for path in files.pictures)
    if not in_splits:
        _require_all_in_splits(root, files.pictures)
    classes = {path: compiled.search(path.split("/", 1)[1] if in_splits else path) for path in files.pictures}
    unmatched = [shown(path) for path, match in classes.items() if match is None or not match[1]]
    if unmatched:
        more = ", …" if len(unmatched) > MAX_NAMED else ""
        raise InputError(
            f"--ingest.class-pattern {pattern} finds no class in {len(unmatched):,} of {len(classes):,} pictures: "
            f"{', '.join(unmatched[:MAX_NAMED])}{more}: give a regular expression with the class as its only group, "
            f"e.g. '{example_pattern(files.pictures)[0]}'"
        )
    labels = {path: match[1] for path, match in classes.items() if match is not None}
    names = sorted(set(labels.values()), key=natural_key)
    require_distinct_names(root, names, "classes", "rename the pictures")
    numbers = {name: number for number, name in enumerate(names)}
    splits: dict[str, list[Picture]] = {}
    for path in files.pictures:
        split = shown(path.split("/")[0]) if in_splits else DEFAULT_SPLIT
        splits.setdefault(split, []).append(Picture(path, numbers[labels[path]]))
    ordered = {split: by_name_hash(pictures) for split, pictures in splits.items()}
    return LabelledPictures(root, tuple(map(shown, names)), ordered, files.left_out)


def _top(path: str) -> str:
    """The folder below the set's in lower case; empty if the picture is in none."""
    return path.split("/")[0].lower() if "/" in path else ""


def _require_all_in_splits(root: Path, pictures: Sequence[str]) -> None:
    """Refuses pictures beside the folders of training and test: these would be one. Raises: InputError."""
    beside = [path for path in pictures if _top(path) not in SPLIT_NAMES]
    if {"train", "test"} <= set(map(_top, pictures)):
        raise InputError(
            f"{shown(root / beside[0])} lies beside the folders of the splits: move it into one of them, or away"
        )


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise InputError(
            f"--ingest.class-pattern {pattern} is not a regular expression ({error}): give one like '{EXAMPLE}'"
        ) from error
    if compiled.groups != 1:
        raise InputError(
            f"--ingest.class-pattern {pattern} has {compiled.groups} groups: give a regular expression with "
            f"parentheses around the class alone, e.g. '{EXAMPLE}', and write others as (?:…)"
        )
    return compiled
