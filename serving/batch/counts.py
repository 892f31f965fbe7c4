"""The counts of scored images: drift features, labels against predictions, and unreadable images."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Self

from serving.codec import from_json, to_json
from serving.drift.drift import DriftCounts

# The number of images by true and predicted label.
Confusion = Counter[tuple[int, int]]


@dataclass(frozen=True)
class BatchCounts:
    """Counts of one block, or of several blocks added up.

    Attributes:
        drift: the drift counts of a sample of the images; None if the bundle has no baseline.
        confusion: number of images by true and predicted label; None if the true labels are not known.
        unreadable: the skipped images: the index in the whole input, and the reason.
    """

    drift: DriftCounts | None
    confusion: Confusion | None
    unreadable: tuple[tuple[int, str], ...]

    def __add__(self, other: BatchCounts) -> BatchCounts:
        drift, confusion = self.drift, self.confusion
        if drift is not None and other.drift is not None:
            drift = drift + other.drift
        if confusion is not None and other.confusion is not None:
            confusion = confusion + other.confusion
        return BatchCounts(drift, confusion, self.unreadable + other.unreadable)

    def to_json(self) -> dict[str, Any]:
        """Plain values, which `from_json` reads."""
        return {
            "drift": to_json(self.drift),
            "confusion": None if self.confusion is None else [[*pair, rows] for pair, rows in self.confusion.items()],
            "unreadable": self.unreadable,
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Reads the values that `to_json` returned."""
        drift, confusion = values["drift"], values["confusion"]
        return cls(
            drift=None if drift is None else from_json(DriftCounts, drift, "drift counts"),
            confusion=None if confusion is None else Counter({(true, given): rows for true, given, rows in confusion}),
            unreadable=tuple((row, reason) for row, reason in values["unreadable"]),
        )
