"""Outcomes -> what the record of a run keeps of its candidate: the figures of its evaluation, its bundle's digest."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from components.artifacts.bundle import Bundle
from components.artifacts.evaluation import Evaluation
from pipeline.engine.outcome import Outcomes
from pipeline.engine.store import Store

# Fields of the evaluation.
FIGURES = ("rows", "correct", "accuracy", "interval", "min_accuracy")


def candidate_figures(outcomes: Outcomes, store: Store) -> Mapping[str, Any]:
    """The candidate's figures and its bundle's digest, for the record; empty if no candidate was evaluated."""
    folders = {name: store.payload(outcome.artifact) for name, outcome in outcomes.items() if outcome.artifact}
    found: dict[str, Any] = {}
    # An artifact may have been deleted or damaged since; the record must not be lost with it.
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        if "evaluate" in folders:
            evaluation = Evaluation.load(folders["evaluate"])
            found |= {name: getattr(evaluation, name) for name in FIGURES}
        if "export" in folders:
            found["bundle"] = Bundle.load(folders["export"]).sha256
    return found
