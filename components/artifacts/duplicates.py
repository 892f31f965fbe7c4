"""Duplicates: images that occur in the data more than once, pixel by pixel: their numbers and first places."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from heapq import nsmallest
from typing import NamedTuple

# Largest numbers of images of each kind, and of places of each image, that are named; all are counted.
NAMED_IMAGES = 1000
NAMED_PLACES = 10


class Place(NamedTuple):
    """The place of an image. Places are ordered: training rows before test rows.

    Attributes:
        test: whether it is in the test split.
        row: its row in its split.
        label: its label there.
    """

    test: bool
    row: int
    label: int

    @property
    def split(self) -> str:
        """The split's name."""
        return "test" if self.test else "train"


class Group(NamedTuple):
    """The places of one image, two or more.

    Attributes:
        places: the first NAMED_PLACES, rising.
        rows: the number of all places.
    """

    places: tuple[Place, ...]
    rows: int


@dataclass(frozen=True)
class Duplicates:
    """Images that occur in the data more than once.

    Attributes:
        repeats: by split, the rows whose image is in an earlier row of the same split with the same label.
        leaks: test rows whose image is in the training split, with any label.
        label_conflicts: images with more than one label, in any splits.
        repeat_groups: the places of the first images of this kind, in order; an image may be of several kinds.
        leak_groups: as above.
        label_conflict_groups: as above.
    """

    repeats: Mapping[str, int] = field(metadata={"key": "repeated"})
    leaks: int = field(metadata={"key": "leaked"})
    label_conflicts: int = field(metadata={"key": "contradicting"})
    repeat_groups: tuple[Group, ...] = field(metadata={"key": "repeated_groups"})
    leak_groups: tuple[Group, ...] = field(metadata={"key": "leaked_groups"})
    label_conflict_groups: tuple[Group, ...] = field(metadata={"key": "contradicting_groups"})

    def __add__(self, other: Duplicates) -> Duplicates:
        """The duplicates of two parts of the data that have no image in common."""
        return Duplicates(
            repeats={
                split: self.repeats.get(split, 0) + other.repeats.get(split, 0)
                for split in sorted(self.repeats.keys() | other.repeats.keys())
            },
            leaks=self.leaks + other.leaks,
            label_conflicts=self.label_conflicts + other.label_conflicts,
            repeat_groups=_first(self.repeat_groups + other.repeat_groups),
            leak_groups=_first(self.leak_groups + other.leak_groups),
            label_conflict_groups=_first(self.label_conflict_groups + other.label_conflict_groups),
        )


NO_DUPLICATES = Duplicates({}, 0, 0, (), (), ())


def _first(groups: Iterable[Group]) -> tuple[Group, ...]:
    return tuple(nsmallest(NAMED_IMAGES, groups))
