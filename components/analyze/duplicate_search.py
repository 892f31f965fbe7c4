"""Images -> hashes of their content, one file per block -> Duplicates, one range of hashes at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache, reduce
from itertools import islice
from operator import add
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from components.artifacts.duplicates import NAMED_PLACES, NO_DUPLICATES, Duplicates, Group, Place
from components.artifacts.examples import Block
from serving.files import staged_file

Hashes = npt.NDArray[np.uint64]

# Multilinear hashing (Lemire and Kaser 2014, "Strongly universal string hashing is fast"): the sum of 32-bit integers,
# each multiplied by a random 64-bit factor. For two different images, the upper 32 bits of a sum are equal with
# probability 2^-32. With two sums, one of 700,000 data sets of seven million images has a false duplicate.
SUMS = 2
SEED = 20_140_219
# Rows that are compared at once: a worker holds them in memory.
RANGE_ROWS = 1 << 18
# A row in a file of hashes: both hashes, row and label, 8 bytes each.
COLUMNS, VALUE_BYTES = 4, 8


class PlacedBlock(NamedTuple):
    """A block and its place in its split.

    Attributes:
        block: a block of Examples.
        first_row: the row of its first image in its split.
    """

    block: Block
    first_row: int


def content_hashes(images: npt.NDArray[Any]) -> Hashes:
    """Hashes images, (n, ...) of any type, by their bits; equal on all machines of the same byte order.

    Returns:
        uint64 (n, 2): equal if the images are equal in every bit; different otherwise, except with probability 2⁻⁶⁴.
    """
    rows = np.ascontiguousarray(images).reshape(len(images), -1).view(np.uint8)
    if rows.shape[1] % 4:
        rows = np.pad(rows, ((0, 0), (0, -rows.shape[1] % 4)))
    integers = rows.view(np.uint32).astype(np.uint64)
    sums: Hashes = integers @ _factors(integers.shape[1])
    return sums


@cache
def _factors(count: int) -> Hashes:
    """uint64 (count, SUMS), always the same: numpy guarantees the bits of this generator."""
    return np.random.PCG64(SEED).random_raw(count * SUMS).reshape(count, SUMS)


def write_hashes(folder: Path, placed: PlacedBlock, hashes: Hashes, labels: npt.NDArray[np.int64], count: int) -> None:
    """Writes the sorted hashes of a block with row and label of each; writing them again changes nothing.

    The file begins with the position of each of `count` ranges, so that one range can be read alone.
    Hashes are uint64 (n, 2), labels int64 (n,).
    """
    rows = np.arange(placed.first_row, placed.first_row + len(hashes), dtype=np.uint64)
    order = np.argsort(hashes[:, 0])
    content = np.column_stack([hashes, rows, labels.view(np.uint64)])[order]
    begins = [np.uint64((number << 64) // count) for number in range(count)]
    edges = np.append(np.searchsorted(content[:, 0], begins), len(content))
    with staged_file(_file(folder, placed)) as file:
        file.write(edges.astype(np.int64).tobytes() + content.tobytes())


def range_numbers(rows: int) -> range:
    """The numbers of the ranges for this number of images; hashes are distributed evenly over them."""
    return range(-(-rows // RANGE_ROWS) or 1)


def find_duplicates(number: int, count: int, folder: Path, blocks: Sequence[PlacedBlock]) -> Duplicates:
    """Finds the duplicates among the images of all blocks whose hashes are in one of `count` ranges."""
    found = [_read(number, count, folder, placed) for placed in blocks]
    first, second, rows, labels, tests = (np.concatenate(column) for column in zip(*found, strict=True))
    order = np.lexsort((rows, tests, second, first))
    first, second = first[order], second[order]
    again = (first[1:] == first[:-1]) & (second[1:] == second[:-1])
    # A group begins at an image that differs from the one before, and equals the next one.
    begins = np.flatnonzero(np.diff(np.r_[False, again].astype(np.int8)) == 1)
    ends = np.flatnonzero(np.diff(np.r_[again, False].astype(np.int8)) == -1) + 2
    groups = []
    for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
        members = order[begin:end]
        columns = (tests[members].tolist(), rows[members].tolist(), labels[members].view(np.int64).tolist())
        groups.append([Place(test, row, label) for test, row, label in zip(*columns, strict=True)])
    return summarize(groups)


def add_duplicates(parts: Iterable[Duplicates]) -> Duplicates:
    """Adds the duplicates of all ranges, in any grouping and order."""
    return reduce(add, parts, NO_DUPLICATES)


def summarize(groups: Iterable[Sequence[Place]]) -> Duplicates:
    """Counts groups of places by kind, and names the first groups.

    A group has the places of one image, two or more, rising.
    """
    repeats = {"train": 0, "test": 0}
    leaks = label_conflicts = 0
    named: dict[str, list[Group]] = {"repeats": [], "leaks": [], "label_conflicts": []}
    for places in groups:
        kinds = {(place.test, place.label) for place in places}
        tests = sum(place.test for place in places)
        again = {
            split: rows - sum(kind_test is test for kind_test, _ in kinds)
            for split, rows, test in (("train", len(places) - tests, False), ("test", tests, True))
        }
        for split, rows in again.items():
            repeats[split] += rows
        group = Group(_named_places(places), len(places))
        if any(again.values()):
            named["repeats"].append(group)
        if 0 < tests < len(places):
            leaks += tests
            named["leaks"].append(group)
        if len({place.label for place in places}) > 1:
            label_conflicts += 1
            named["label_conflicts"].append(group)
    kept = Duplicates(repeats, leaks, label_conflicts, *(tuple(named[kind]) for kind in named))
    return kept + NO_DUPLICATES


def _named_places(places: Sequence[Place]) -> tuple[Place, ...]:
    """The first NAMED_PLACES places, among them one of each split and label, which show the kind of duplicate."""
    leaders = {(place.test, place.label): place for place in reversed(places)}
    known = set(leaders.values())
    others = islice((place for place in places if place not in known), NAMED_PLACES)
    return tuple(sorted([*sorted(known), *others][:NAMED_PLACES]))


def _read(number: int, count: int, folder: Path, placed: PlacedBlock) -> Iterator[npt.NDArray[Any]]:
    """The columns of one range: both hashes, row, label, and whether the row is in the test split."""
    with _file(folder, placed).open("rb", buffering=0) as file:
        file.seek(number * VALUE_BYTES)
        begin, end = np.frombuffer(file.read(2 * VALUE_BYTES), np.int64).tolist()
        file.seek((count + 1 + COLUMNS * begin) * VALUE_BYTES)
        content = np.frombuffer(file.read((end - begin) * COLUMNS * VALUE_BYTES), np.uint64).reshape(-1, COLUMNS)
    yield from content.T
    yield np.full(len(content), placed.block.split == "test")


def _file(folder: Path, placed: PlacedBlock) -> Path:
    return folder / f"{placed.block.split}-{placed.block.index:05d}.hashes"
