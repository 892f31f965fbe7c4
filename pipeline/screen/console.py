"""Log records -> lines or JSON events on standard output, and the log file of a run."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pipeline.settings.options import Verbosity

log = logging.getLogger("beamline")


@contextmanager
def console(verbosity: Verbosity) -> Iterator[None]:
    """Sends the records of the loggers below `beamline` to standard output.

    A record can have an event: an attribute `event`, a dict whose key `event` has the kind.
    """
    handler = _handler(verbosity)
    handler.setLevel(logging.WARNING if verbosity.quiet else logging.DEBUG if verbosity.verbose else logging.INFO)
    log.setLevel(logging.DEBUG)
    log.propagate = False
    log.handlers = [handler]
    try:
        yield
    finally:
        log.handlers = []
        handler.close()


@contextmanager
def log_to(file: Path, verbosity: Verbosity) -> Iterator[None]:
    """Writes all records to a log file too, with tracebacks and, unless `verbose` is set, the libraries' output.

    TensorFlow's C++ libraries write to the file descriptor of standard error, and cannot be configured not to. The
    descriptor is redirected to the log file meanwhile. The file is created, with its folder.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    handler = _LogFile(file, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(message)s"))
    log.addHandler(handler)
    sys.stderr.flush()
    real_stderr = os.dup(2)
    try:
        if not verbosity.verbose:
            with file.open("a", encoding="utf-8") as target:
                os.dup2(target.fileno(), 2)
        yield
    finally:
        sys.stderr.flush()
        os.dup2(real_stderr, 2)
        os.close(real_stderr)
        log.removeHandler(handler)
        with suppress(OSError):
            handler.close()


class _LogFile(logging.FileHandler):
    """A log file; on a full disk it stays incomplete, and the run goes on."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name of logging.Handler
        """Ignores that a record could not be written: what stops the run is reported on the screen."""


def _handler(verbosity: Verbosity) -> logging.Handler:
    if not verbosity.json and sys.stdout.isatty():
        from pipeline.screen.terminal import Terminal

        return Terminal()
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_EventFormatter() if verbosity.json else logging.Formatter("%(message)s"))
    return handler


class _EventFormatter(logging.Formatter):
    """Formats a record as a JSON object: the event and the message."""

    def format(self, record: logging.LogRecord) -> str:
        event: dict[str, Any] = getattr(record, "event", {"event": "message", "from": record.name})
        line = {**event, "message": record.getMessage().strip()}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)
