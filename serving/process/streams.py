"""The standard streams of a command's process: what cannot be printed changes nothing that the command does."""

from __future__ import annotations

import io
import os
import sys
from typing import Any


class _DroppingFile(io.FileIO):
    """A standard stream whose errors are remembered and not raised: the output that they met is dropped."""

    failure: OSError | None = None

    def write(self, data: Any, /) -> int:
        """Writes all bytes, or drops those that the system does not take. Returns: the number of bytes given."""
        view = memoryview(data).cast("B")
        at = 0
        while at < len(view):
            try:
                written = super().write(view[at:])
            except OSError as error:
                self.failure = error
                break
            if written is None:
                # Another program made the pipe or terminal non-blocking, and it is full.
                _wait_until_writable(self.fileno())
            else:
                at += written
        return len(view)


def prepare_streams() -> None:
    """Makes the standard streams of this process such that printing never fails.

    A stream that was closed when the process started leads to /dev/null. Characters that a stream's encoding does not
    have are printed as escapes. What cannot be written, e.g. because the reader is gone or the disk is full, is
    dropped, and `output_failure` tells it.
    """
    _open_closed_streams()
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        # A notebook or a test may have other streams.
        if isinstance(stream, io.TextIOWrapper):
            setattr(sys, name, _dropping(stream))


def output_failure() -> OSError | None:
    """Why a part of standard output was dropped; None if all of it was written, or if its reader wanted no more."""
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    failure = raw.failure if isinstance(raw, _DroppingFile) else None
    return None if isinstance(failure, BrokenPipeError) else failure


def _dropping(stream: io.TextIOWrapper) -> io.TextIOWrapper:
    raw = _DroppingFile(stream.fileno(), "wb", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=stream.encoding,
        errors="backslashreplace",
        # Without a buffer, Python writes through.
        line_buffering=stream.line_buffering or stream.write_through,
    )


def _open_closed_streams() -> None:
    # Otherwise a file of the program would get the number of the stream, and what libraries print would be written to
    # it.
    for name, mode in {"stdin": "r", "stdout": "w", "stderr": "w"}.items():
        if getattr(sys, name) is None:
            # The system gives the lowest free number, which is that of the stream.
            descriptor = os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(descriptor, True)
            setattr(sys, name, os.fdopen(descriptor, mode, closefd=False))


def _wait_until_writable(descriptor: int) -> None:
    import select

    select.select([], [descriptor], [])
