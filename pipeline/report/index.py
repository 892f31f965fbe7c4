"""The last runs -> runs/index.html: newest first, what serves marked, accuracy over time, links to the cards."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.history import History, Record
from pipeline.outcome import stopping
from pipeline.report.page import render
from pipeline.report.parts import MEMORY, remembered
from pipeline.report.plots import Point, accuracy_over_time
from pipeline.source_code import source_digests
from pipeline.store import Store
from serving.errors import BeamlineError
from serving.files import canonical_json, replace_text
from serving.locks import locked
from serving.registry import Promoted, Registry

log = logging.getLogger("beamline.report")

INDEX = "index.html"
# What is read and written after every run does not grow with all that ever ran.
MOST_RUNS = 200
# More of them on one axis cannot be told apart.
MOST_POINTS = 60
# A registry, and a model in it.
Place = tuple[Path, str]
JUDGED = ("promoted", "passed", "refused")


@dataclass(frozen=True)
class Row:
    """One run, as the list has it.

    Attributes:
        record: the run's.
        card: its card, from the index; None where there is none.
        serves: the version under which its model serves now; None where it does not.
        why: what it rests on, in short.
    """

    record: Record
    card: str | None
    serves: int | None
    why: str


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
    champions = _champions(records)
    rows = [_row(record, store.root, champions) for record in reversed(records)]
    models = sorted({str(record.config["model"]) for record in records})
    plots = {model: plot for model in models if (plot := _plot(model, records, store.root)) is not None}
    file = store.root / INDEX
    shown = {"rows": rows, "plots": plots, "comparisons": _comparisons(store.root), "runs": len(runs)}
    replace_text(file, render("index.html.j2", **shown))
    return file


def _row(record: Record, root: Path, champions: Mapping[Place, Promoted]) -> Row:
    card = root / "reports" / f"{record.run}.html"
    champion = champions.get(_place(record))
    # Another folder of runs that promotes to the same registry has a run of this number too.
    serves = champion is not None and (champion.run, champion.sha256) == (record.run, record.figures.get("bundle"))
    by_name = {outcome.name: outcome for outcome in record.steps}
    stopped = stopping(by_name)
    last = stopped or by_name.get("promote") or by_name.get("verify")
    said = "" if last is None else "; ".join(last.reasons)
    return Row(
        record=record,
        card=f"reports/{card.name}" if card.exists() else None,
        serves=champion.version if champion is not None and serves else None,
        why=f"{last.name}: {said}" if stopped and last else said,
    )


def _place(record: Record) -> Place:
    return record.models, str(record.config["model"])


def _champions(records: Sequence[Record]) -> dict[Place, Promoted]:
    """What serves, by registry and model; what cannot be read marks nothing."""
    found = {}
    for models, model in {_place(record) for record in records}:
        try:
            promoted = Registry(models).promoted(model)
        except BeamlineError:
            log.debug("pointer of %s", model, exc_info=True)
            continue
        if promoted is not None:
            found[models, model] = promoted
    return found


def _plot(model: str, records: Sequence[Record], root: Path) -> str | None:
    """The accuracy of a model's runs that judged one; a run that found everything judged nothing anew."""
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
    if not points:
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
        # The list is worth more than the drawing above it.
        log.warning("the accuracy of %s over time could not be drawn", model)
        log.debug("accuracy of %s over time", model, exc_info=True)
        return None
    return drawn


def _judged(record: Record) -> bool:
    executed = any(outcome.name == "evaluate" and outcome.outcome == "executed" for outcome in record.steps)
    return executed and record.verdict in JUDGED and "accuracy" in record.figures


def _comparisons(root: Path) -> list[str]:
    """Addresses of the pages of comparisons, the newest first."""
    return sorted((f"comparisons/{page.name}" for page in root.glob("comparisons/*.html")), reverse=True)
