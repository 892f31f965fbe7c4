"""One rule for all of a report: a part that cannot be made is left out, is reported, and fails nothing else."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from serving.errors import BeamlineError
from serving.faults.fault import fault_of

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
        report(f"{problem}: {_reason(error)}")
        return None


def _reason(error: Exception) -> str:
    if isinstance(error, BeamlineError):
        return str(error)
    fault = fault_of(error)
    # What to do is in the run's last sentence, if the same failure stopped it.
    return f"{type(error).__name__}: {error}" if fault is None else ": ".join(fault.parts())
