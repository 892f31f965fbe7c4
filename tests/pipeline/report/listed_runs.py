"""Runs in a history, and the list of runs that is written from it."""

from __future__ import annotations

import os
from dataclasses import replace

from pipeline.engine.outcome import Outcome
from pipeline.engine.store import Store
from pipeline.report.index import write_index
from serving.files import replace_json
from serving.registry.promotion_events import Evidence, PromotionEvent, append_event, read_promotion_events
from tests.pipeline.report.conftest import record_of
from tests.pipeline.report.html_page import Page

FIGURES = {
    "bundle": "ab",
    "rows": 100,
    "correct": 97,
    "accuracy": 0.97,
    "interval": [0.9155, 0.9897],
    "min_accuracy": 0.9,
}


def add(history, run, verdict, judged=True, figures=FIGURES, reasons=("below the limit",), found=False, **config):
    """Adds a run; with `found` its bundle served before."""
    evaluated = Outcome("evaluate", "executed" if judged else "cached", passed=verdict != "refused", reasons=reasons)
    made = {"evaluate": evaluated}
    if verdict == "promoted":
        promotion = ("m version 7 already serves",) if found else ("m version 7 serves now", *reasons)
        made["promote"] = Outcome("promote", "cached" if found else "executed", passed=True, reasons=promotion)
    record = record_of(run, made, history.root, verdict, **config)
    history.finish(replace(record, figures=figures, folder=os.getcwd()))
    (history.root / "reports" / f"{run}.html").write_text("")


def written(history):
    return Page(write_index(Store(history.root)).read_text(encoding="utf-8"))


def serve(history, run, version, sha256="ab", before=(None, None), action="promote"):
    """Changes the serving version, with an event in the history of the registry."""
    folder = history.root.parent / "models" / "mnist"
    folder.mkdir(parents=True, exist_ok=True)
    evidence = Evidence(run, "", "", 0.97, "", "")
    sequence = len(read_promotion_events(folder / "history.jsonl").events) + 1
    event = PromotionEvent(sequence, action, "2026-01-02", "u", "h", False, *before, version, sha256, "", evidence)
    append_event(folder / "history.jsonl", event)
    replace_json(folder / "promoted.json", {"version": version, "sha256": sha256, "event": event.to_json()})
