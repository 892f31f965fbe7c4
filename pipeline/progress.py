"""What a person sees of a step, on one line as it ends."""

from __future__ import annotations

import logging
import re

from pipeline.outcome import Outcome

log = logging.getLogger("beamline.pipeline")


def tell(outcome: Outcome) -> None:
    """Logs what became of a step: how, how long, what it made or why it did not."""
    log.info("%s", line(outcome))


def line(outcome: Outcome) -> str:
    """One line: name, outcome, seconds, and what it made or why it did not."""
    took = f"{outcome.seconds:6.1f} s" if outcome.outcome == "executed" else " " * 8
    verdict = "REFUSED: " if outcome.outcome in ("executed", "cached") and not outcome.passed else ""
    said = outcome.summary or "; ".join(outcome.reasons)
    if outcome.outcome == "refused":
        # The arithmetic stands in the refusing step's own line.
        said = re.sub(r"^refused (by \w+): .*", r"\1", said)
    return f"{outcome.name:<10} {outcome.outcome:<8} {took}  {verdict}{said}"
