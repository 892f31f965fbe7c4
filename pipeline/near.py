"""What was typed -> what may have been meant."""

from __future__ import annotations

import difflib
from collections.abc import Sequence


def nearest(got: str, known: Sequence[str]) -> str:
    """`did you mean NAME? ` with the nearest of the known names; nothing where none is near."""
    near = difflib.get_close_matches(got, known, n=1, cutoff=0.5)
    return f"did you mean {near[0]}? " if near else ""
