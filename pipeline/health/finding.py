"""Finding: the result of one check of `doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    Attributes:
        state: `ok`; `note`, for information; or `fix`, if the user must act.
        subject: what was checked, in one or two words.
        message: what was found, and for `fix` the remedy.
    """

    state: Literal["ok", "note", "fix"]
    subject: str
    message: str
