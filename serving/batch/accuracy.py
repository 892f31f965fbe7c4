"""Counts of true and predicted labels -> accuracy with its interval, and the confusion table on the screen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from serving.batch.counts import Confusion
from serving.wilson import estimate

# The table of more classes is wider than a screen; the sidecar has it in any case.
MAX_SHOWN_CLASSES = 20


def accuracy(confusion: Confusion, classes: int) -> dict[str, Any]:
    """The fraction of images that are predicted correctly, with its 95 % interval (Wilson 1927).

    Returns:
        `rows`, `correct`, `accuracy` and `interval` (fractions; None without images), and `confusion`, counts by true
        label (rows) and predicted label (columns), 0 to classes - 1.
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


def numbers_note(names: Sequence[str]) -> str | None:
    """How labels and class names differ, if the names are numbers too, but other ones; None if they cannot be confused.

    The names are in the order of the labels.
    """
    if not all(name.isdecimal() for name in names) or [int(name) for name in names] == list(range(len(names))):
        return None
    first = ", ".join(f"{label} is class {name}" for label, name in enumerate(names[:3]))
    return f"labels are positions of classes, not their names: {first}{', …' if len(names) > 3 else ''}"


def accuracy_lines(measured: dict[str, Any], names: Sequence[str]) -> list[str]:
    """The lines on the screen for the result of `accuracy`: a sentence, and the table if it fits on a screen.

    `names` are those of the classes, in the order of the labels; a note tells if they may be confused with the labels.
    """
    if measured["accuracy"] is None:
        return ["accuracy unknown: no images"]
    low, high = measured["interval"]
    sentence = (
        f"accuracy {measured['accuracy']:.4f} ({measured['correct']:,} of {measured['rows']:,}), "
        f"95 % interval {low:.4f} to {high:.4f}"
    )
    lines = [sentence, *filter(None, [numbers_note(names)])]
    if len(measured["confusion"]) > MAX_SHOWN_CLASSES:
        return lines
    return [*lines, *_table(measured["confusion"])]


def _table(confusion: list[list[int]]) -> list[str]:
    labels = [str(label) for label in range(len(confusion))]
    width = max(len(text) for text in (*labels, *(f"{count:,}" for row in confusion for count in row)))
    head = " ".join(text.rjust(width) for text in labels)
    lines = (
        f"{label:>4}  " + " ".join(f"{count:,}".rjust(width) for count in row)
        for label, row in zip(labels, confusion, strict=True)
    )
    return [f"true  {head}  predicted", *lines]
