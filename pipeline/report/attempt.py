"""One rule for all of a report: a part that cannot be made is left out, is reported, and fails nothing else."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from serving.errors import BeamlineError

Result = TypeVar("Result")

log = logging.getLogger("beamline.report")


def attempt(problem: str, make: Callable[[], Result], report: Callable[[str], object]) -> Result | None:
    """Makes a part of a report. Returns: the part; None if it could not be made.

    Args:
        problem: the message of a failure, for example `samples could not be drawn`; the reason is added.
        make: makes the part.
        report: takes the message; the traceback goes to the log, at level debug.
    """
    try:
        return make()
    except Exception as error:
        log.debug("%s", problem, exc_info=True)
        report(f"{problem}: {error if isinstance(error, BeamlineError) else f'{type(error).__name__}: {error}'}")
        return None
