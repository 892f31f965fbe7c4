"""Duplicates: images that stand in the data more than once, pixel by pixel: how many, and where the first ones are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from heapq import nsmallest
from typing import Any, NamedTuple, Self

# Images of each kind, and places of each image, that are named; the others are counted.
NAMED_IMAGES = 1000
NAMED_PLACES = 10


class Place(NamedTuple):
    """Where an image stands. Places are ordered: training rows come before test rows.

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
        rows: how many there are.
    """

    places: tuple[Place, ...]
    rows: int


@dataclass(frozen=True)
class Duplicates:
    """Images that stand in the data more than once.

    Attributes:
        repeated: by split, the rows whose image stands in an earlier row of the same split with the same label.
        leaked: test rows whose image stands in the training split, with whatever label.
        contradicting: images that have more than one label, wherever they stand.
        repeated_groups: the places of the first images of each kind, in order; an image may be of several kinds.
        leaked_groups: as above.
        contradicting_groups: as above.
    """

    repeated: Mapping[str, int]
    leaked: int
    contradicting: int
    repeated_groups: tuple[Group, ...]
    leaked_groups: tuple[Group, ...]
    contradicting_groups: tuple[Group, ...]

    def __add__(self, other: Duplicates) -> Duplicates:
        """Of two parts of the data that have no image in common."""
        return Duplicates(
            repeated={
                split: self.repeated.get(split, 0) + other.repeated.get(split, 0)
                for split in sorted(self.repeated.keys() | other.repeated.keys())
            },
            leaked=self.leaked + other.leaked,
            contradicting=self.contradicting + other.contradicting,
            repeated_groups=_first(self.repeated_groups + other.repeated_groups),
            leaked_groups=_first(self.leaked_groups + other.leaked_groups),
            contradicting_groups=_first(self.contradicting_groups + other.contradicting_groups),
        )

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """What `dataclasses.asdict` said."""
        groups = {kind: _groups(said[kind]) for kind in ("repeated_groups", "leaked_groups", "contradicting_groups")}
        return cls(dict(said["repeated"]), said["leaked"], said["contradicting"], **groups)


NO_DUPLICATES = Duplicates({}, 0, 0, (), (), ())


def _first(groups: Iterable[Group]) -> tuple[Group, ...]:
    return tuple(nsmallest(NAMED_IMAGES, groups))


def _groups(said: Iterable[Any]) -> tuple[Group, ...]:
    return tuple(Group(tuple(Place(*place) for place in places), rows) for places, rows in said)
