"""What a person, or a program, sees of a run; and where everything else goes."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

log = logging.getLogger("beamline")


@dataclass(frozen=True)
class Screen:
    """How much is shown, and how.

    Attributes:
        quiet: nothing but what stops a run.
        verbose: tracebacks too, and what TensorFlow and Beam print.
        json: every line is a JSON object, an event.
    """

    quiet: bool = False
    verbose: bool = False
    json: bool = False


@contextmanager
def console(screen: Screen) -> Iterator[None]:
    """Sends the lines of the loggers below `beamline` to standard output.

    A line may be an event: its record has a dict `event`, whose `event` says what happened.
    """
    shown = _handler(screen)
    shown.setLevel(logging.WARNING if screen.quiet else logging.DEBUG if screen.verbose else logging.INFO)
    log.setLevel(logging.DEBUG)
    log.propagate = False
    log.handlers = [shown]
    try:
        yield
    finally:
        log.handlers = []
        shown.close()


@contextmanager
def log_to(file: Path, screen: Screen) -> Iterator[None]:
    """Keeps every line in a log too, with the tracebacks and, unless they are shown, the libraries' own words.

    TensorFlow and its C++ libraries write to the file descriptor of standard error as they start, whatever
    they are asked; so that descriptor is the log file meanwhile.

    Args:
        file: made with its folder.
        screen: `verbose` leaves standard error where it is.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    kept = logging.FileHandler(file, encoding="utf-8")
    kept.setFormatter(logging.Formatter("%(asctime)s %(name)s %(message)s"))
    log.addHandler(kept)
    sys.stderr.flush()
    real_stderr = os.dup(2)
    try:
        if not screen.verbose:
            with file.open("a", encoding="utf-8") as target:
                os.dup2(target.fileno(), 2)
        yield
    finally:
        sys.stderr.flush()
        os.dup2(real_stderr, 2)
        os.close(real_stderr)
        log.removeHandler(kept)
        kept.close()


def _handler(screen: Screen) -> logging.Handler:
    if not screen.json and sys.stdout.isatty():
        from pipeline.terminal import Terminal

        return Terminal()
    shown = logging.StreamHandler(sys.stdout)
    shown.setFormatter(_Event() if screen.json else logging.Formatter("%(message)s"))
    return shown


class _Event(logging.Formatter):
    """A line as a JSON object: what happened, the words, and its figures."""

    def format(self, record: logging.LogRecord) -> str:
        event: dict[str, Any] = getattr(record, "event", {"event": "message", "from": record.name})
        said = {**event, "message": record.getMessage().strip()}
        if record.exc_info:
            said["traceback"] = self.formatException(record.exc_info)
        return json.dumps(said, ensure_ascii=False)
