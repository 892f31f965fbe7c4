"""Labels + fraction + seed -> the rows that are trained on, and the validation rows: each class in both parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from serving.errors import BeamlineError

Labels = npt.NDArray[np.int64]
# Largest number of classes that a message lists.
MAX_LISTED_CLASSES = 5


@dataclass(frozen=True, eq=False)
class HoldOut:
    """The rows of the training split in two parts.

    Attributes:
        training: int64 (m,), rising; the rows that are trained on.
        validation: int64 (n,), rising; the rows that are scored after each epoch and not trained on.
        missing: the labels of the classes that have rows in the training split, but no validation rows.
    """

    training: Labels
    validation: Labels
    missing: tuple[int, ...]


def hold_out(labels: Labels, fraction: float, seed: int) -> HoldOut:
    """Chooses the validation rows at random from each class, in proportion to its rows.

    A class keeps at least one row to train on. The same seed chooses the same rows for every recipe, and those of a
    smaller fraction are among those of a larger one, up to one row for each class.

    Args:
        labels: int64 (rows,), of the training split.
        fraction: of all rows, 0 or more, below 1.
        seed: 0 or more, below 2^32.

    Raises:
        BeamlineError: no row is left to train on.
    """
    rows = len(labels)
    if fraction == 0:
        return HoldOut(np.arange(rows), np.empty(0, np.int64), tuple(np.unique(labels).tolist()))
    if rows - round(rows * fraction) < 1:
        raise BeamlineError(
            f"--train.validation-fraction {fraction} leaves none of the {rows:,} training rows to train on: give a "
            "smaller fraction"
        )
    # The only generator of numpy whose numbers never change.
    mixed = np.random.RandomState(seed).permutation(rows)
    by_label = mixed[np.argsort(labels[mixed], kind="stable")]
    by_class = np.split(by_label, np.flatnonzero(np.diff(labels[by_label])) + 1)
    counts = _shares([len(members) for members in by_class], round(rows * fraction))
    chosen = [members[:count] for members, count in zip(by_class, counts, strict=True)]
    validation = np.sort(np.concatenate([*chosen, mixed[:0]]))
    missing = [int(labels[members[0]]) for members, count in zip(by_class, counts, strict=True) if not count]
    return HoldOut(np.setdiff1d(np.arange(rows), validation), validation, tuple(missing))


def last_rows(labels: Labels, count: int) -> HoldOut:
    """The last rows as validation rows, fewer than all: those that the set itself has for it."""
    training, validation = np.arange(len(labels) - count), np.arange(len(labels) - count, len(labels))
    missing = np.setdiff1d(labels[training], labels[validation])
    return HoldOut(training, validation, tuple(missing.tolist()))


def describe_missing(held: HoldOut, class_names: Sequence[str]) -> str | None:
    """The classes without validation rows in one sentence; None if each class has some, or if there are none at all."""
    if not held.missing or not len(held.validation):
        return None
    names = ", ".join(class_names[label] for label in held.missing[:MAX_LISTED_CLASSES])
    more = ", …" if len(held.missing) > MAX_LISTED_CLASSES else ""
    return (
        f"classes with too few training images to have a validation image ({len(held.missing)} in all): {names}{more}; "
        "the validation accuracy does not depend on them"
    )


def _shares(sizes: Sequence[int], total: int) -> list[int]:
    """The number of validation rows of each class: in proportion, at most all but one, `total` in all if possible.

    What rounding down leaves goes to the classes with the largest remainders (Hamilton's method).
    """
    rows = sum(sizes)
    exact = [size * total / rows for size in sizes]
    counts = [int(share) for share in exact]
    order = sorted(range(len(sizes)), key=lambda index: (counts[index] - exact[index], index))
    left = total - sum(counts)
    while left and any(count < size - 1 for count, size in zip(counts, sizes, strict=True)):
        for index in order:
            if left and counts[index] < sizes[index] - 1:
                counts[index] += 1
                left -= 1
    return counts
