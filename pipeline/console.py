"""What a person sees and what goes to the log: our lines on the screen, the libraries' noise in a file."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

log = logging.getLogger("beamline")


@contextmanager
def console(log_file: Path, verbose: bool) -> Iterator[None]:
    """Sends the lines of the loggers below `beamline` to standard output, and everything to the log.

    TensorFlow and its C++ libraries write to the file descriptor of standard error as they start, whatever
    they are asked; so that descriptor is the log file meanwhile, unless `verbose`.

    Args:
        log_file: made with its folder; tracebacks, which are logged below the screen's level, go there alone.
        verbose: leave standard error where it is.
    """
    log_file.parent.mkdir(parents=True, exist_ok=True)
    screen = logging.StreamHandler(sys.stdout)
    screen.setLevel(logging.INFO)
    screen.setFormatter(logging.Formatter("%(message)s"))
    kept = logging.FileHandler(log_file, encoding="utf-8")
    kept.setFormatter(logging.Formatter("%(asctime)s %(name)s %(message)s"))
    log.setLevel(logging.DEBUG)
    log.propagate = False
    log.handlers = [screen, kept]
    sys.stderr.flush()
    real_stderr = os.dup(2)
    try:
        if not verbose:
            with log_file.open("a", encoding="utf-8") as target:
                os.dup2(target.fileno(), 2)
        yield
    finally:
        sys.stderr.flush()
        os.dup2(real_stderr, 2)
        os.close(real_stderr)
        log.handlers = []
        kept.close()
