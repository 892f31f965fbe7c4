"""Counts of true and predicted labels -> accuracy with its interval, and the confusion table that a person reads."""

from __future__ import annotations

from collections import Counter
from typing import Any

from serving.wilson import estimate

# Wider tables are for the sidecar, not for a screen.
MAX_SHOWN_CLASSES = 20


def accuracy(confusion: Counter[tuple[int, int]], classes: int) -> dict[str, Any]:
    """The share of images that are predicted right, with its 95 % interval (Wilson 1927).

    Args:
        confusion: images by true and predicted label, 0 to classes - 1.
        classes: number of classes.

    Returns:
        `rows`, `correct`, `accuracy` and `interval` (fractions; None without images), and `confusion`, counts by true
        label (rows) and predicted label (columns).
    """
    rows = confusion.total()
    correct = sum(count for (label, predicted), count in confusion.items() if label == predicted)
    found = estimate(correct, rows)
    return {
        "rows": rows,
        "correct": correct,
        "accuracy": found and found.value,
        "interval": found and [found.low, found.high],
        "confusion": [[confusion[label, predicted] for predicted in range(classes)] for label in range(classes)],
    }


def accuracy_lines(said: dict[str, Any]) -> list[str]:
    """What the screen shows of `accuracy`: a sentence, and the table where it is no wider than a screen."""
    if said["accuracy"] is None:
        return ["accuracy unknown: no images"]
    low, high = said["interval"]
    sentence = (
        f"accuracy {said['accuracy']:.4f} ({said['correct']:,} of {said['rows']:,}), "
        f"95 % interval {low:.4f} to {high:.4f}"
    )
    if len(said["confusion"]) > MAX_SHOWN_CLASSES:
        return [sentence]
    return [sentence, *_table(said["confusion"])]


def _table(confusion: list[list[int]]) -> list[str]:
    labels = [str(label) for label in range(len(confusion))]
    width = max(len(text) for text in (*labels, *(f"{count:,}" for row in confusion for count in row)))
    head = " ".join(text.rjust(width) for text in labels)
    lines = (
        f"{label:>4}  " + " ".join(f"{count:,}".rjust(width) for count in row)
        for label, row in zip(labels, confusion, strict=True)
    )
    return [f"true  {head}  predicted", *lines]
