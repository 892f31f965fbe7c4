"""Odd: the rows of a split that are not as rows should be, of one kind: how many, and the first of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

# Of each kind; more are counted and not named, so that what is named stays small whatever the data are.
NAMED_ROWS = 1000


@dataclass(frozen=True)
class Odd:
    """Rows of one kind.

    Attributes:
        rows: how many there are.
        named: (row, value) of the first ones, rising by row; what the value is depends on the kind.
    """

    rows: int
    named: tuple[tuple[int, float], ...]

    @classmethod
    def of(cls, found: Iterable[tuple[int, float]]) -> Self:
        """From all rows of a kind, in any order."""
        ordered = sorted(found)
        return cls(len(ordered), tuple(ordered[:NAMED_ROWS]))

    def __add__(self, other: Odd) -> Odd:
        """The rows of two parts of a split."""
        return Odd(self.rows + other.rows, tuple(sorted(self.named + other.named)[:NAMED_ROWS]))

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """What `dataclasses.asdict` said."""
        return cls(said["rows"], tuple((row, value) for row, value in said["named"]))


def add(one: Mapping[str, Odd], other: Mapping[str, Odd]) -> dict[str, Odd]:
    """The rows of every kind of two parts of a split."""
    return {
        kind: one[kind] + other[kind] if kind in one and kind in other else (one if kind in one else other)[kind]
        for kind in one.keys() | other.keys()
    }
