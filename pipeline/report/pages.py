"""A run that ended -> its pictures, its card and the list of all runs; none of them decides about a run."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.history import Record
from pipeline.report.card import write_card
from pipeline.report.folder import write_pictures
from pipeline.report.index import INDEX, write_index
from pipeline.report.payloads import Payloads
from pipeline.step import Step
from pipeline.store import Store
from serving.errors import BeamlineError

log = logging.getLogger("beamline.report")


@dataclass(frozen=True)
class Reported:
    """What there is to look at.

    Attributes:
        card: the run's page; None where it could not be written.
        pictures: the folder of its pictures; None where there are none.
    """

    card: Path | None
    pictures: Path | None


def report(record: Record, steps: Sequence[Step], store: Store) -> Reported:
    """Draws and writes what there is to look at. That it cannot be done is said, and is no failure of the run.

    A run that was interrupted gets its card at once, with what was drawn before.

    Args:
        record: the run's, as it ended.
        steps: of its pipeline.
        store: where the artifacts are; everything comes beside them.
    """
    draw = record.verdict != "interrupted"
    payloads = Payloads({outcome.name: outcome for outcome in record.steps}, store)
    pictures = _tried("pictures", record, lambda: write_pictures(record.run, payloads)) if draw else None
    card = _tried("card", record, lambda: write_card(record, steps, payloads, draw))
    _tried("place in the list of runs", record, lambda: write_index(store))
    return Reported(card, pictures)


def renew_index(runs: Path) -> None:
    """Writes the list of runs anew, where there is one, after what it says changed; that it cannot be is no failure."""
    if (runs / INDEX).exists():
        try:
            write_index(Store(runs))
        except Exception as error:
            log.debug("list of runs", exc_info=True)
            print(f"{runs / INDEX} could not be written anew: {error}", file=sys.stderr)


def _tried(what: str, record: Record, write: Callable[[], Path | None]) -> Path | None:
    try:
        return write()
    except Exception as error:
        log.debug("%s of run %s", what, record.run, exc_info=True)
        why = str(error) if isinstance(error, BeamlineError) else f"{type(error).__name__}: {error}"
        log.warning("the %s of run %s could not be written: %s", what, record.run, why)
        return None
