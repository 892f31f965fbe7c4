"""A run -> its model card: one page that says what came of it and why, whatever came of it."""

from __future__ import annotations

import logging
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from components.artifacts.anomalies import Anomalies
from components.artifacts.artifact import Artifact
from components.artifacts.bundle import Bundle
from components.artifacts.evaluation import Evaluation
from components.artifacts.examples import Examples
from components.artifacts.model import Model
from components.artifacts.promotion import Promotion
from components.artifacts.rule import Rule
from components.artifacts.statistics import Statistics
from components.artifacts.transform import Transform
from components.artifacts.verification import Verification
from pipeline.history import Record
from pipeline.outcome import Made, Outcome, stopping
from pipeline.report.lineage import draw_lineage
from pipeline.report.opening import headline, rests_on, verdict_shown
from pipeline.report.page import render
from pipeline.report.parts import MEMORY, drawn_parts
from pipeline.report.payloads import Payloads
from pipeline.step import Step
from pipeline.store import Store
from serving.errors import BeamlineError
from serving.files import replace_text
from serving.registry import Registry

log = logging.getLogger("beamline.report")

Kind = TypeVar("Kind", bound=Artifact)
LISTED_CONFUSIONS = 10


def write_card(record: Record, steps: Sequence[Step], payloads: Payloads, draw: bool = True) -> Path:
    """Writes runs/reports/<run>.html.

    Args:
        record: the run's, as it ended.
        steps: of its pipeline.
        payloads: its artifacts.
        draw: draw what is not yet drawn; else only what an earlier run drew is shown, and nobody has to wait.

    Returns:
        The page.
    """
    made = payloads.made
    reports = payloads.store.root / "reports"
    reports.mkdir(parents=True, exist_ok=True)
    parts, failures = drawn_parts(payloads, reports, draw)
    values = _Values(payloads)
    version = _version(record, made, values.promotion)
    shown = {
        **values.by_name(),
        "record": record,
        "graph": draw_lineage(steps, made),
        "command": shlex.join(["python", "-m", "pipeline", "run", *record.arguments]),
        "stopped": stopping(made),
        "version": version,
        "verdict": verdict_shown(record),
        "headline": headline(record, version),
        "sentences": rests_on(record),
        "libraries": _libraries(made, payloads.store),
        "slowest": max((outcome.seconds for outcome in record.steps), default=0.0),
        "rest": max(0.0, record.seconds - sum(outcome.seconds for outcome in record.steps)),
    }
    file = reports / f"{record.run}.html"
    replace_text(file, _rendered(shown, parts, (*failures, *values.failures)))
    return file


def _rendered(shown: Mapping[str, Any], parts: Mapping[str, Any], failures: Sequence[str]) -> str:
    """The page; without what was drawn where somebody wrote over what was remembered of it."""
    try:
        return render("card.html.j2", **shown, parts=parts, failures=failures)
    except Exception as error:
        log.debug("card with its parts", exc_info=True)
        said = (
            f"what was drawn cannot be shown ({type(error).__name__}: {error}): delete reports/{MEMORY} and run again"
        )
        return render("card.html.j2", **shown, parts=dict.fromkeys(parts), failures=(*failures, said))


class _Values:
    """The artifacts of a run as a template takes them; what cannot be read is None, and said."""

    def __init__(self, payloads: Payloads) -> None:
        self._payloads = payloads
        self.failures: list[str] = []
        self.examples = self._load("ingest", Examples)
        self.evaluation = self._load("evaluate", Evaluation)
        self.promotion = self._load("promote", Promotion)
        self.verification = self._load("verify", Verification)

    def by_name(self) -> Mapping[str, Any]:
        evaluation = self.evaluation
        return {
            "examples": self.examples,
            "statistics": self._load("analyze", Statistics),
            "anomalies": self._load("validate", Anomalies),
            "transform": self._load("transform", Transform),
            "model": self._load("train", Model),
            "evaluation": evaluation,
            "confusions": [] if evaluation is None else worst_confusions(evaluation.confusion),
            "verification": self.verification,
            "measured": None if self.verification is None else self.verification.measured(),
            "promotion": self.promotion,
            "bundle": self._load("export", Bundle),
            "rules": list(self._rules()),
            "names": () if self.examples is None else self.examples.class_names,
        }

    def _rules(self) -> list[tuple[str, Rule]]:
        judged = {"evaluate": self.evaluation, "verify": self.verification, "promote": self.promotion}
        return [(step, rule) for step, found in judged.items() if found is not None for rule in found.rules]

    def _load(self, step: str, kind: type[Kind]) -> Kind | None:
        if step not in self._payloads.digests:
            return None
        try:
            return self._payloads.read(step, kind)
        except Exception as error:
            # Whatever somebody wrote over it: the rest of the card is worth having.
            log.debug("artifact of %s", step, exc_info=True)
            self.failures.append(f"what {step} made cannot be shown: {error}")
            return None


@dataclass(frozen=True)
class Confusion:
    """Test images of one class that were taken for another one.

    Attributes:
        label: the true class.
        predicted: the class that they were taken for.
        rows: how many.
    """

    label: int
    predicted: int
    rows: int


def worst_confusions(counts: Sequence[Sequence[int]]) -> list[Confusion]:
    """The most frequent ones, the most frequent first, at most LISTED_CONFUSIONS; of equals the lower labels first."""
    found = [
        Confusion(label, predicted, rows)
        for label, row in enumerate(counts)
        for predicted, rows in enumerate(row)
        if rows and label != predicted
    ]
    return sorted(found, key=lambda confusion: -confusion.rows)[:LISTED_CONFUSIONS]


def _version(record: Record, made: Mapping[str, Outcome], promotion: Promotion | None) -> int | None:
    """The version that the run's model got, or had already; None where it has none."""
    if "promote" not in made or not made["promote"].passed:
        return None
    if promotion is not None:
        return promotion.version
    try:
        promoted = Registry(record.models).promoted(record.config["model"])
    except BeamlineError:
        return None
    return promoted.version if promoted is not None and promoted.sha256 == record.figures.get("bundle") else None


def _libraries(made: Made, store: Store) -> dict[str, str]:
    """The versions of all libraries behind a run's artifacts."""
    found: dict[str, str] = {}
    for outcome in made.values():
        stored = None if outcome.artifact is None else store.stored(store.root / "artifacts" / outcome.artifact)
        if stored is not None:
            found |= stored.parts.get("libraries", {})
    return dict(sorted(found.items()))
