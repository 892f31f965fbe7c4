"""Log records -> lines on a terminal, with coloured outcomes and a spinner for the running step."""

from __future__ import annotations

import logging
import sys

from rich.console import Console
from rich.status import Status
from rich.text import Text

# rich uses no colour if NO_COLOR is set or TERM is dumb; the text alone is complete.
STYLES = {"executed": "green", "cached": "dim", "refused": "bold red", "failed": "bold red", "skipped": "yellow"}


class Terminal(logging.Handler):
    """Prints each line above the spinner of the running step."""

    def __init__(self) -> None:
        super().__init__()
        self._console = Console(file=sys.stdout, highlight=False, soft_wrap=True)
        self._running: Status | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Prints a record; one that begins a step becomes the spinner until the step ends."""
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
        """Removes the spinner, and shows the cursor again."""
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
        style = STYLES.get(outcome if event["passed"] else "refused", "")
        text.highlight_regex(rf"\b{outcome}\b|REFUSED:", style)
    elif event.get("event") == "notice":
        text.stylize("bold yellow")
    elif event.get("verdict") not in (None, "promoted", "passed"):
        text.stylize("bold red")
    return text
