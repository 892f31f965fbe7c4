"""Standard streams that the caller closed -> streams to nowhere."""

from __future__ import annotations

import os
import sys


def open_closed_streams() -> None:
    """Opens /dev/null for each standard stream that was closed when the process started.

    Otherwise a file of the program would get the number of the stream, and what libraries print would be written to it.
    """
    for name, mode in {"stdin": "r", "stdout": "w", "stderr": "w"}.items():
        if getattr(sys, name) is None:
            # The system gives the lowest free number, which is that of the stream.
            descriptor = os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(descriptor, True)
            setattr(sys, name, os.fdopen(descriptor, mode, closefd=False))
