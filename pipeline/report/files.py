"""Examples -> which file each of a few rows was, where rows were files of their own."""

from __future__ import annotations

import json

import numpy as np
import numpy.typing as npt

from components.artifacts.examples import Examples


def read_files(examples: Examples, split: str, rows: npt.NDArray[np.int64]) -> list[str | None]:
    """The files of some rows of a split, in the order of `rows`; None for those that were none.

    Only the names of blocks in which one of the rows stands are read.

    Args:
        examples: where they are.
        split: which of its splits.
        rows: int64 (n,), indices into the split, in any order.
    """
    files: list[str | None] = [None] * len(rows)
    first = 0
    for block in examples.blocks[split]:
        here = np.flatnonzero((rows >= first) & (rows < first + block.rows))
        names = examples.path / block.names_file
        if len(here) and names.is_file():
            said = json.loads(names.read_text(encoding="utf-8"))
            for place in here.tolist():
                files[place] = str(said[rows[place] - first])
        first += block.rows
    return files
