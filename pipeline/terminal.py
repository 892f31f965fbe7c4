"""Lines on a terminal: outcomes in colour, and what is running now on a line that moves."""

from __future__ import annotations

import logging
import sys

from rich.console import Console
from rich.status import Status
from rich.text import Text

# The words say it all; colour only helps the eye. rich leaves it out where NO_COLOR is set or TERM is dumb.
STYLES = {"executed": "green", "cached": "dim", "refused": "bold red", "failed": "bold red", "skipped": "yellow"}


class Terminal(logging.Handler):
    """Prints each line above the one that says which step is running."""

    def __init__(self) -> None:
        super().__init__()
        self._console = Console(file=sys.stdout, highlight=False, soft_wrap=True)
        self._running: Status | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Prints a record; one that begins a step is the moving line until the step's outcome comes."""
        event = getattr(record, "event", {})
        if event.get("event") == "begin":
            self._stop()
            self._running = self._console.status(f"{event['step']} …")
            self._running.start()
            return
        if event.get("event") == "step":
            self._stop()
        self._console.print(_styled(self.format(record), event))

    def close(self) -> None:
        """Takes the moving line away, and shows the cursor again."""
        self._stop()
        super().close()

    def _stop(self) -> None:
        if self._running is not None:
            self._running.stop()
            self._running = None


def _styled(message: str, event: dict[str, object]) -> Text:
    text = Text(message)
    outcome = event.get("outcome")
    if isinstance(outcome, str):
        bad = "refused" if not event["passed"] else outcome
        text.highlight_words([outcome, "REFUSED:"], STYLES.get(bad, ""))
    elif event.get("event") == "notice":
        text.stylize("bold yellow")
    elif event.get("verdict") not in (None, "promoted", "passed"):
        text.stylize("bold red")
    return text
