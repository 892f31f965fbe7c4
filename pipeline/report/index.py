"""The last runs -> runs/index.html: newest first, what serves marked, accuracy over time, links to the cards."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from pipeline.history import History, Record
from pipeline.outcome import stopping
from pipeline.report.opening import promoted_because, verdict_shown
from pipeline.report.over_time import draw_over_time
from pipeline.report.page import render
from pipeline.store import Store
from serving.errors import BeamlineError
from serving.files import replace_text
from serving.history import Event
from serving.history import History as Moves
from serving.locks import locked
from serving.registry import Promoted, Registry

log = logging.getLogger("beamline.report")

INDEX = "index.html"
# What is read and written after every run does not grow with all that ever ran.
MOST_RUNS = 200
# A registry, and a model in it.
Place = tuple[Path, str]


@dataclass(frozen=True)
class Row:
    """One run, as the list has it.

    Attributes:
        record: the run's.
        card: its card, from the index; None where there is none.
        serves: the version under which its model serves now; None where it does not.
        version: the version that it was promoted as; None where it was not, or nobody can say.
        rolled_back: whether somebody went back from that version, and nobody took that back.
        why: what it rests on, or what stopped it, a sentence each.
    """

    record: Record
    card: str | None
    serves: int | None
    version: int | None
    rolled_back: bool
    why: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """The run's, as a badge says it."""
        return verdict_shown(self.record)


@dataclass(frozen=True)
class Registered:
    """What the registry knows of one model.

    Attributes:
        promoted: what serves; None where nothing does, or nobody can say.
        history: every move of the pointer.
    """

    promoted: Promoted | None
    history: Moves

    def serves(self, record: Record) -> int | None:
        """The version under which a run's model serves now; None where it does not."""
        now = self.promoted
        # Another folder of runs that promotes to the same registry has a run of this number too.
        own = now is not None and (now.run, now.sha256) == (record.run, record.figures.get("bundle"))
        return now.version if now is not None and own else None

    def promotion(self, record: Record) -> Event | None:
        """The move that let a run's model serve; None where there was none."""
        wanted = ("promote", record.run, record.figures.get("bundle"))
        moves = (e for e in reversed(self.history.events) if (e.action, e.evidence.run, e.bundle_sha256) == wanted)
        return next(moves, None)


def write_index(store: Store) -> Path:
    """Writes runs/index.html anew, from the records of the last runs; what is damaged is left out."""
    history = History(store.root)
    history.folder.mkdir(parents=True, exist_ok=True)
    # Of two runs that end together, the second reads what the first wrote down.
    with locked(history.folder):
        return _write(store, history)


def _write(store: Store, history: History) -> Path:
    runs = history.runs()
    records = history.readable(runs[-MOST_RUNS:])
    registered = {place: _registered(place) for place in {_place(record) for record in records}}
    rows = [_row(record, store.root, registered[_place(record)]) for record in reversed(records)]
    models = sorted({str(record.config["model"]) for record in records})
    plots = {model: plot for model in models if (plot := draw_over_time(model, records, store.root)) is not None}
    file = store.root / INDEX
    shown = {"rows": rows, "plots": plots, "comparisons": _comparisons(store.root), "runs": len(runs)}
    replace_text(file, render("index.html.j2", **shown))
    return file


def _row(record: Record, root: Path, registered: Registered) -> Row:
    card = root / "reports" / f"{record.run}.html"
    promotion = registered.promotion(record)
    return Row(
        record=record,
        card=f"reports/{card.name}" if card.exists() else None,
        serves=registered.serves(record),
        version=None if promotion is None else promotion.to_version,
        rolled_back=promotion is not None and promotion.bundle_sha256 in registered.history.rolled_back(),
        why=_why(record),
    )


def _why(record: Record) -> tuple[str, ...]:
    """The lines of what stopped a run, or of what its last gate rests on."""
    by_name = {outcome.name: outcome for outcome in record.steps}
    stopped = stopping(by_name)
    if stopped is not None:
        said = (f"{stopped.name}: {stopped.reasons[0]}", *stopped.reasons[1:]) if stopped.reasons else (stopped.name,)
    else:
        last = by_name.get("promote") or by_name.get("verify")
        said = () if last is None else last.reasons
        if verdict_shown(record) == "promoted" and last is not None:
            said = promoted_because(last)
    return tuple(line for sentence in said for line in sentence.splitlines() if line.strip())


def _place(record: Record) -> Place:
    return record.models, str(record.config["model"])


def _registered(place: Place) -> Registered:
    """What cannot be read marks nothing."""
    models, model = place
    try:
        return Registered(Registry(models).promoted(model), Registry(models).history(model))
    except (BeamlineError, OSError):
        log.debug("registry of %s", model, exc_info=True)
        return Registered(None, Moves(()))


def _comparisons(root: Path) -> list[str]:
    """Addresses of the pages of comparisons, the newest first."""
    return sorted((f"comparisons/{page.name}" for page in root.glob("comparisons/*.html")), reverse=True)
