"""A run -> its model card: one page with the verdict and its reasons, even of a run that was refused or failed."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from components.artifacts.anomalies import Anomalies
from components.artifacts.bundle import Bundle
from components.artifacts.evaluation import Evaluation
from components.artifacts.examples import Examples
from components.artifacts.model import Model
from components.artifacts.preprocessing import Transform
from components.artifacts.promotion import Promotion
from components.artifacts.statistics import Statistics
from components.artifacts.verification import Verification
from pipeline.engine.outcome import stopping
from pipeline.engine.step import Step
from pipeline.records.run_artifacts import Kind, RunArtifacts
from pipeline.report.attempt import attempt
from pipeline.report.card_sections import card_sections
from pipeline.report.headline import headline, verdict_reasons, verdict_shown
from pipeline.report.lineage import lineage_of
from pipeline.report.rendering import render
from pipeline.report.worst_confusions import worst_confusions
from serving.errors import BeamlineError
from serving.files import replace_text
from serving.process.program import PIPELINE
from serving.registry.registry import Registry

MAX_CONFUSIONS = 10


def write_card(run: RunArtifacts, steps: Sequence[Step], draw: bool = True) -> Path:
    """Writes the page runs/reports/<run>.html.

    Args:
        run: the run's artifacts.
        steps: the steps of its pipeline.
        draw: draw the figures that are not in the cache; else they are left out, and the card is written at once.
    """
    record, reports = run.record, run.store.root / "reports"
    reports.mkdir(parents=True, exist_ok=True)
    failures: list[str] = []
    values = _artifact_values(run, failures.append)
    version = _version(run, values["promotion"])
    file = reports / f"{record.run}.html"
    page = render(
        "card.html.j2",
        **values,
        sections=card_sections(run, draw, failures.append),
        failures=failures,
        record=record,
        lineage=lineage_of(steps, run.outcomes),
        command=shlex.join([*PIPELINE.split(), "run", *record.arguments]),
        stopped=stopping(run.outcomes),
        version=version,
        verdict=verdict_shown(record),
        headline=headline(record, version),
        reasons=verdict_reasons(record),
        libraries=_libraries(run),
        slowest_seconds=max((outcome.seconds for outcome in record.steps), default=0.0),
        seconds_outside_steps=max(0.0, record.seconds - sum(outcome.seconds for outcome in record.steps)),
    )
    replace_text(file, page)
    return file


def _artifact_values(run: RunArtifacts, report: Callable[[str], object]) -> dict[str, Any]:
    """The template's values by name, from the run's artifacts; None for one that was not made or cannot be read."""

    def load(step: str, kind: type[Kind]) -> Kind | None:
        # Not checked: that would hash the whole data set.
        read = partial(run.load_unchecked, step, kind)
        return attempt(f"the output of {step} cannot be shown", read, report) if step in run.digests else None

    examples, evaluation = load("ingest", Examples), load("evaluate", Evaluation)
    verification, promotion = load("verify", Verification), load("promote", Promotion)
    gates = {"evaluate": evaluation, "verify": verification, "promote": promotion}
    return {
        "examples": examples,
        "statistics": load("analyze", Statistics),
        "anomalies": load("validate", Anomalies),
        "transform": load("transform", Transform),
        "model": load("train", Model),
        "evaluation": evaluation,
        "confusions": [] if evaluation is None else worst_confusions(evaluation.confusion, MAX_CONFUSIONS),
        "verification": verification,
        "measured": None if verification is None else verification.measured(),
        "promotion": promotion,
        "bundle": load("export", Bundle),
        "rules": [(step, rule) for step, gate in gates.items() if gate is not None for rule in gate.rules],
        "names": () if examples is None else examples.class_names,
    }


def _version(run: RunArtifacts, promotion: Promotion | None) -> int | None:
    """The version of the run's model in the registry; None if it has none."""
    record = run.record
    if "promote" not in run.outcomes or not run.outcomes["promote"].passed:
        return None
    if promotion is not None:
        return promotion.version
    try:
        promoted = Registry(record.models).promoted(record.config["model"])
    except BeamlineError:
        return None
    # The artifact is gone: the digest in the record shows whether the promoted version is this run's.
    bundle_sha256 = record.figures.get("bundle")
    return promoted.version if promoted is not None and promoted.sha256 == bundle_sha256 else None


def _libraries(run: RunArtifacts) -> Mapping[str, str]:
    """The versions of all libraries that the run's artifacts depend on, also those of inner steps."""
    found: dict[str, str] = {}
    for artifact in run.record.artifacts:
        if (stored := run.store.by_name(artifact)) is not None:
            found |= stored.parts.get("libraries", {})
    return dict(sorted(found.items()))
