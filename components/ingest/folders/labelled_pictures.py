"""LabelledPictures: picture files with one label each, by split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from components.ingest.slicing import RowRange


class Picture(NamedTuple):
    """A picture file: its path below the set's folder, and the index of its class in the class names."""

    path: str
    label: int


@dataclass(frozen=True)
class LabelledPictures:
    """The pictures of a set.

    Attributes:
        root: the set's folder, absolute.
        class_names: in natural order: numbers within names are compared as numbers.
        splits: the pictures of each split, in order; at least one.
        left_out: the number of files that are not read, by kind.
    """

    root: Path
    class_names: tuple[str, ...]
    splits: dict[str, tuple[Picture, ...]]
    left_out: Mapping[str, int]

    @property
    def paths(self) -> list[str]:
        """The paths of all pictures below the set's folder."""
        return [picture.path for pictures in self.splits.values() for picture in pictures]

    def pictures(self, ranges: Sequence[RowRange]) -> tuple[Picture, ...]:
        """The pictures of some rows, in order."""
        return tuple(picture for rows in ranges for picture in self.splits[rows.source_split][rows.start : rows.stop])

    @property
    def empty_classes(self) -> list[str]:
        """The classes without a picture in any split."""
        used = {picture.label for pictures in self.splits.values() for picture in pictures}
        return [name for label, name in enumerate(self.class_names) if label not in used]
