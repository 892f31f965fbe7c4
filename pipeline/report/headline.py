"""A run's record -> headline: the verdict and its reasons, in sentences that stay true after later runs."""

from __future__ import annotations

from pipeline.engine.outcome import Outcome
from pipeline.records.run_history import Record

SERVED_ALREADY = "served already"


def verdict_shown(record: Record) -> str:
    """The run's verdict; `served already` if its model served before, so that the run promoted nothing."""
    return SERVED_ALREADY if record.verdict == "promoted" and not _promoted(record) else record.verdict


def headline(record: Record, version: int | None) -> str:
    """The outcome of a run that no step stopped: a sentence without a full stop, empty for a run without a verdict.

    Args:
        record: the run's record, as it ended.
        version: the version of its model in the registry; None if it is unknown.
    """
    model = str(record.config["model"]) + ("" if version is None else f" version {version}")
    return {
        "promoted": f"Promoted as {model}",
        SERVED_ALREADY: f"Nothing to promote: {model} served already",
        "passed": "Passed every gate; nothing was promoted, as requested",
    }.get(verdict_shown(record), "")


def verdict_reasons(record: Record) -> tuple[str, ...]:
    """The reasons of a verdict, if no step stopped the run: of the evaluation, then of the promotion."""
    by_name = {outcome.name: outcome for outcome in record.steps}
    own = by_name["evaluate"].reasons if "evaluate" in by_name else ()
    return (*own, *promotion_reasons(by_name["promote"])) if _promoted(record) else own


def promotion_reasons(promote: Outcome) -> tuple[str, ...]:
    """Why a model was promoted, except the first sentence, that it serves now: later promotions make that untrue."""
    return promote.reasons[1:]


def _promoted(record: Record) -> bool:
    # The step `promote` never takes its output from the store: if it was not executed, there was nothing to promote.
    return any((step.name, step.outcome, step.passed) == ("promote", "executed", True) for step in record.steps)
