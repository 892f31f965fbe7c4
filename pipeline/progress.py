"""What is said of a step: one line as it begins, one as it ends."""

from __future__ import annotations

import logging
import re
from dataclasses import asdict

from pipeline.outcome import Outcome

log = logging.getLogger("beamline.pipeline")


def begin(step: str) -> None:
    """Says that a step begins."""
    log.info("%-10s …", step, extra={"event": {"event": "begin", "step": step}})


def tell(outcome: Outcome, explain: bool = False) -> None:
    """Says what became of a step: how, how long, what it made or why it did not; where asked, why it was executed."""
    said = {"event": "step", **asdict(outcome)}
    said["step"] = said.pop("name")
    log.info("%s", line(outcome), extra={"event": said})
    if explain:
        for reason in outcome.because:
            log.info("%10s because %s", "", reason, extra={"event": {"event": "because", "step": outcome.name}})


def line(outcome: Outcome) -> str:
    """One line: name, outcome, seconds, and what it made or why it did not."""
    took = f"{outcome.seconds:6.1f} s" if outcome.outcome == "executed" else " " * 8
    verdict = "REFUSED: " if outcome.outcome in ("executed", "cached") and not outcome.passed else ""
    said = outcome.summary or "; ".join(outcome.reasons)
    if outcome.outcome == "refused":
        # The arithmetic stands in the refusing step's own line.
        said = re.sub(r"^refused (by \w+): .*", r"\1", said)
    return f"{outcome.name:<10} {outcome.outcome:<8} {took}  {verdict}{said}"
