"""Hashes of all images, in a file for each block -> Duplicates, a range of hashes at a time."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from itertools import islice
from operator import add
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from components.artifacts.duplicates import NAMED_PLACES, NO_DUPLICATES, Duplicates, Group, Place
from components.artifacts.examples import Block
from components.content_hash import Hashes

# Rows that are held against each other at once: what a worker has in memory.
RANGE_ROWS = 1 << 18
# Of a row in a file of hashes: both hashes, row and label.
COLUMNS, WORD_BYTES = 4, 8


class Placed(NamedTuple):
    """A block and where it begins.

    Attributes:
        block: of some Examples.
        first_row: the row of its first image in its split.
    """

    block: Block
    first_row: int


def write_hashes(folder: Path, placed: Placed, hashes: Hashes, labels: npt.NDArray[np.int64], count: int) -> None:
    """Writes the hashes of a block, rising, with row and label of each; writing them again changes nothing.

    Before them stands where each range begins, so that whoever wants one range reads no more than that.

    Args:
        folder: of all blocks' hashes.
        placed: the block.
        hashes: uint64 (n, 2) of its images.
        labels: int64 (n,) of the same.
        count: how many ranges there are.
    """
    rows = np.arange(placed.first_row, placed.first_row + len(hashes), dtype=np.uint64)
    order = np.argsort(hashes[:, 0])
    content = np.column_stack([hashes, rows, labels.view(np.uint64)])[order]
    begins = [np.uint64((number << 64) // count) for number in range(count)]
    edges = np.append(np.searchsorted(content[:, 0], begins), len(content))
    file = _file(folder, placed)
    staged = file.with_name(f".{file.name}.{os.getpid()}")
    staged.write_bytes(edges.astype(np.int64).tobytes() + content.tobytes())
    os.replace(staged, file)


def ranges(rows: int) -> range:
    """The numbers of the ranges that the hashes of so many images are cut into; hashes lie evenly."""
    return range(-(-rows // RANGE_ROWS) or 1)


def find_duplicates(number: int, count: int, folder: Path, blocks: Sequence[Placed]) -> Duplicates:
    """The duplicates among images whose hashes are in one range.

    Args:
        number: of the range.
        count: how many ranges there are.
        folder: what `write_hashes` wrote to.
        blocks: all of them.
    """
    found = [_read(number, count, folder, placed) for placed in blocks]
    first, second, rows, labels, tests = (np.concatenate(column) for column in zip(*found, strict=True))
    order = np.lexsort((rows, tests, second, first))
    first, second = first[order], second[order]
    again = (first[1:] == first[:-1]) & (second[1:] == second[:-1])
    # A group begins where an image is not the one before, and the next one is.
    begins = np.flatnonzero(np.diff(np.r_[False, again].astype(np.int8)) == 1)
    ends = np.flatnonzero(np.diff(np.r_[again, False].astype(np.int8)) == -1) + 2
    groups = []
    for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
        members = order[begin:end]
        columns = (tests[members].tolist(), rows[members].tolist(), labels[members].view(np.int64).tolist())
        groups.append([Place(test, row, label) for test, row, label in zip(*columns, strict=True)])
    return summarize(groups)


def total(parts: Iterable[Duplicates]) -> Duplicates:
    """Adds up what ranges have, in any grouping and order."""
    return reduce(add, parts, NO_DUPLICATES)


def summarize(groups: Iterable[Sequence[Place]]) -> Duplicates:
    """Counts groups of places by kind, and names the first ones.

    Args:
        groups: two or more places each, of one image, rising.
    """
    repeated = {"train": 0, "test": 0}
    leaked = contradicting = 0
    named: dict[str, list[Group]] = {"repeated": [], "leaked": [], "contradicting": []}
    for places in groups:
        kinds = {(place.test, place.label) for place in places}
        tests = sum(place.test for place in places)
        again = {
            split: rows - sum(kind_test is test for kind_test, _ in kinds)
            for split, rows, test in (("train", len(places) - tests, False), ("test", tests, True))
        }
        for split, rows in again.items():
            repeated[split] += rows
        group = Group(_named_places(places), len(places))
        if any(again.values()):
            named["repeated"].append(group)
        if 0 < tests < len(places):
            leaked += tests
            named["leaked"].append(group)
        if len({place.label for place in places}) > 1:
            contradicting += 1
            named["contradicting"].append(group)
    kept = Duplicates(repeated, leaked, contradicting, *(tuple(named[kind]) for kind in named))
    return kept + NO_DUPLICATES


def _named_places(places: Sequence[Place]) -> tuple[Place, ...]:
    """One place for each split and label first, because these say what is wrong."""
    leaders = {(place.test, place.label): place for place in reversed(places)}
    known = set(leaders.values())
    others = islice((place for place in places if place not in known), NAMED_PLACES)
    return tuple(sorted([*sorted(known), *others][:NAMED_PLACES]))


def _read(number: int, count: int, folder: Path, placed: Placed) -> Iterator[npt.NDArray[Any]]:
    """Columns of the rows of one range: both hashes, row, label, and whether they are of the test split."""
    with _file(folder, placed).open("rb", buffering=0) as file:
        file.seek(number * WORD_BYTES)
        begin, end = np.frombuffer(file.read(2 * WORD_BYTES), np.int64).tolist()
        file.seek((count + 1 + COLUMNS * begin) * WORD_BYTES)
        content = np.frombuffer(file.read((end - begin) * COLUMNS * WORD_BYTES), np.uint64).reshape(-1, COLUMNS)
    yield from content.T
    yield np.full(len(content), placed.block.split == "test")


def _file(folder: Path, placed: Placed) -> Path:
    return folder / f"{placed.block.split}-{placed.block.index:05d}.hashes"
