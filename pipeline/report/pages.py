"""A run that ended -> its pictures, its card and the list of all runs; the run's verdict never depends on them."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pipeline.engine.step import Step
from pipeline.engine.store import Store
from pipeline.records.run_artifacts import RunArtifacts
from pipeline.records.run_history import Record
from pipeline.report.attempt import attempt
from pipeline.report.card import write_card
from pipeline.report.index import INDEX, write_index
from pipeline.report.picture_folder import write_pictures

log = logging.getLogger("beamline.report")


@dataclass(frozen=True)
class Reported:
    """The report of a run: its card, and the folder of its pictures; None for a part that was not written."""

    card: Path | None
    pictures: Path | None


def report(record: Record, steps: Sequence[Step], store: Store) -> Reported:
    """Writes the report of a run. A part that cannot be written is logged, and the run does not fail.

    An interrupted run gets its card at once, with the figures that are in the cache.
    """
    draw = record.verdict != "interrupted"
    run = RunArtifacts(record, store)

    def problem(part: str) -> str:
        return f"the {part} of run {record.run} could not be written"

    pictures = attempt(problem("pictures"), lambda: write_pictures(run), log.warning) if draw else None
    card = attempt(problem("card"), lambda: write_card(run, steps, draw), log.warning)
    attempt(problem("place in the list of runs"), lambda: write_index(store), log.warning)
    return Reported(card, pictures)


def renew_index(runs: Path) -> None:
    """Rewrites the list of runs, if it exists, after a change of its content; a failure is only printed."""
    file = runs / INDEX
    if file.exists():
        tell = partial(print, file=sys.stderr)
        attempt(f"{file} could not be rewritten", lambda: write_index(Store(runs)), tell)
