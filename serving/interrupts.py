"""Ctrl-C and SIGTERM: raised once, where the work is, and held back while something is put in place."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# A second Ctrl-C does not break into the cleaning up after the first; one that comes later than this does,
# because a library may have swallowed the first.
GRACE_SECONDS = 5.0


class Terminated(BaseException):
    """SIGTERM, raised where the work is, so that it cleans up as it does after Ctrl-C."""

    exit_code = 143


class _Process:
    """What this process was told so far; signals reach Python in the main thread alone."""

    held = 0
    waiting: BaseException | None = None
    stopped_at = -math.inf


def raise_on_signals() -> None:
    """Makes SIGINT raise KeyboardInterrupt, and SIGTERM `Terminated`, in the main thread.

    A signal that the process was started to ignore, as `nohup` and shells in the background ask, stays ignored.
    """
    _Process.held, _Process.waiting, _Process.stopped_at = 0, None, -math.inf
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _stop)


@contextmanager
def finishing() -> Iterator[None]:
    """Lets what is being put in place be finished: a stop that comes meanwhile is raised when it is."""
    _Process.held += 1
    try:
        yield
    finally:
        _Process.held -= 1
        if not _Process.held and (stop := _Process.waiting) is not None:
            _Process.waiting = None
            raise stop


def _stop(number: int, frame: FrameType | None) -> None:
    now = time.monotonic()
    if now - _Process.stopped_at < GRACE_SECONDS:
        return
    _Process.stopped_at = now
    stop = KeyboardInterrupt() if number == signal.SIGINT else Terminated()
    if _Process.held:
        _Process.waiting = stop
        return
    raise stop
