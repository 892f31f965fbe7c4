"""Ctrl-C and SIGTERM as exceptions in the main thread, deferred while a change must be completed."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# A second Ctrl-C within this time does not interrupt the cleanup after the first. A later one does: a library may have
# swallowed the first.
GRACE_SECONDS = 5.0


class Terminated(BaseException):
    """SIGTERM as an exception: the cleanup is the same as after Ctrl-C."""

    exit_code = 143


class _Process:
    """The state of the signals. Python receives signals in the main thread only."""

    deferring = 0
    deferred: BaseException | None = None
    stopped_at = -math.inf


def raise_on_signals() -> None:
    """Makes SIGINT raise KeyboardInterrupt, and SIGTERM `Terminated`, in the main thread.

    A signal that was ignored at the start of the process (`nohup`, a shell's background job) stays ignored.
    """
    _Process.deferring, _Process.deferred, _Process.stopped_at = 0, None, -math.inf
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _stop)


@contextmanager
def defer_interrupts() -> Iterator[None]:
    """Defers Ctrl-C and SIGTERM to the end of the block."""
    _Process.deferring += 1
    try:
        yield
    finally:
        _Process.deferring -= 1
        if not _Process.deferring and (stop := _Process.deferred) is not None:
            _Process.deferred = None
            raise stop


def _stop(number: int, frame: FrameType | None) -> None:
    now = time.monotonic()
    if now - _Process.stopped_at < GRACE_SECONDS:
        return
    _Process.stopped_at = now
    stop = KeyboardInterrupt() if number == signal.SIGINT else Terminated()
    if _Process.deferring:
        _Process.deferred = stop
        return
    raise stop
