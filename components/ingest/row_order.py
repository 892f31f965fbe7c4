"""Labels in their order -> a refusal of rows that are sorted by class, because a cut of them separates the classes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from serving.batch.inputs.open_file import shown
from serving.errors import InputError

# Fewer rows than this are often in the order of their classes by chance.
MIN_ROWS = 20
ARRAYS_ADVICE = (
    "shuffle images and labels alike before you save them, e.g. with order = "
    "numpy.random.default_rng(0).permutation(len(y)), x[order] and y[order]"
)


def require_mixed_classes(path: Path, labels: Iterable[npt.NDArray[np.generic]], advice: str) -> None:
    """Refuses the rows of a set that has one split, if they are sorted by class.

    Args:
        path: the set, for messages.
        labels: all labels, (m,) or (m, 1) each, in order. Of other rows only the first labels are read.
        advice: what to do.

    Raises:
        InputError: all rows of each class are side by side.
    """
    seen: set[object] = set()
    last: object = None
    rows = 0
    for part in labels:
        values = part.reshape(-1)
        starts = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]]))
        for label in values[starts].tolist():
            if label == last:
                continue
            if label in seen:
                return
            seen.add(label)
            last = label
        rows += len(values)
    if rows >= MIN_ROWS and 2 <= len(seen) <= rows // 2:
        raise InputError(
            f"{shown(path)}: its {rows:,} rows are sorted by class, so that the last 20 %, which would be the test "
            f"rows, have only the last classes: {advice}"
        )
