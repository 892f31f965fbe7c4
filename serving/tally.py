"""What is counted while images are scored: drift, known labels, images that could not be read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Self

from serving.drift import Counts


@dataclass(frozen=True)
class Tally:
    """Counts of a block, or of several added up.

    Attributes:
        drift: of a sample of its images; None where the bundle has no baseline.
        confusion: images by true and predicted label; None where the true labels are not known.
        unreadable: images that were skipped: the index in the whole input, and why.
    """

    drift: Counts | None
    confusion: Counter[tuple[int, int]] | None
    unreadable: tuple[tuple[int, str], ...]

    def __add__(self, other: Tally) -> Tally:
        drift, confusion = self.drift, self.confusion
        if drift is not None and other.drift is not None:
            drift = drift + other.drift
        if confusion is not None and other.confusion is not None:
            confusion = confusion + other.confusion
        return Tally(drift, confusion, self.unreadable + other.unreadable)

    def to_json(self) -> dict[str, Any]:
        """Plain values, as `from_json` takes them."""
        return {
            "drift": None if self.drift is None else self.drift.to_json(),
            "confusion": None if self.confusion is None else [[*pair, rows] for pair, rows in self.confusion.items()],
            "unreadable": self.unreadable,
        }

    @classmethod
    def from_json(cls, said: dict[str, Any]) -> Self:
        """Reads what `to_json` gave."""
        drift, confusion = said["drift"], said["confusion"]
        return cls(
            drift=None if drift is None else Counts.from_json(drift),
            confusion=None if confusion is None else Counter({(true, given): rows for true, given, rows in confusion}),
            unreadable=tuple((row, why) for row, why in said["unreadable"]),
        )
