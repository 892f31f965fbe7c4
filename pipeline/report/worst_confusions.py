"""Confusion matrix -> its most frequent confusions."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import NamedTuple


class Confusion(NamedTuple):
    """Test images of one class that were predicted as another class; classes by integer label."""

    label: int
    predicted: int
    rows: int


def worst_confusions(counts: Sequence[Sequence[int]], most: int) -> list[Confusion]:
    """At most `most` confusions of a confusion matrix, the most frequent first; equal ones by label."""
    found = (
        Confusion(label, predicted, rows)
        for label, of_class in enumerate(counts)
        for predicted, rows in enumerate(of_class)
        if rows and label != predicted
    )
    return heapq.nsmallest(most, found, key=lambda confusion: -confusion.rows)
