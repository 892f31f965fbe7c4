"""The records of one model's runs -> their accuracy over time, drawn once for the same runs."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipeline.history import Record
from pipeline.report.parts import MEMORY, remembered
from pipeline.report.plots import Point, accuracy_over_time
from pipeline.source_code import source_digests
from serving.files import canonical_json

log = logging.getLogger("beamline.report")

# More of them on one axis cannot be told apart.
MOST_POINTS = 60
JUDGED = ("promoted", "passed", "refused")


def draw_over_time(model: str, records: Sequence[Record], root: Path) -> str | None:
    """The accuracy of a model's runs that made something, of which it is known.

    Args:
        model: its name.
        records: of runs of any models, oldest first.
        root: runs/.

    Returns:
        SVG; None where fewer than two runs have an accuracy, or it cannot be drawn.
    """
    points = [
        Point(
            record.run,
            record.figures["accuracy"],
            tuple(record.figures["interval"]),
            record.figures["min_accuracy"],
            record.verdict != "refused",
        )
        for record in records
        if record.config["model"] == model and _judged(record)
    ][-MOST_POINTS:]
    if len(points) < 2:
        return None
    parts: dict[str, Any] = {"points": [asdict(point) for point in points], "model": model}
    parts["source"] = source_digests(accuracy_over_time.__module__)
    identity = hashlib.sha256(canonical_json(parts).encode()).hexdigest()
    name = f"over-time-{identity[:8]}"
    try:
        drawn: str = remembered(
            root / "reports" / MEMORY / f"{identity}.json", lambda: accuracy_over_time(points, name)
        )
    except Exception:
        # The list is worth more than the drawing below it.
        log.warning("the accuracy of %s over time could not be drawn", model)
        log.debug("accuracy of %s over time", model, exc_info=True)
        return None
    return drawn


def _judged(record: Record) -> bool:
    # Who found everything made waits for no drawing: the last one is still right.
    executed = any(outcome.outcome == "executed" for outcome in record.steps)
    return executed and record.verdict in JUDGED and "accuracy" in record.figures
