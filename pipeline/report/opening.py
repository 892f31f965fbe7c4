"""A run's record -> how its card and its line in the list begin: what came of it, in words that stay true."""

from __future__ import annotations

from pipeline.history import Record
from pipeline.outcome import Outcome

SERVED_ALREADY = "served already"


def verdict_shown(record: Record) -> str:
    """The run's verdict; of a run that found its model serving, and promoted nothing, that it did."""
    return SERVED_ALREADY if record.verdict == "promoted" and not _promoted(record) else record.verdict


def headline(record: Record, version: int | None) -> str:
    """What came of a run that nothing stopped.

    Args:
        record: the run's, as it ended.
        version: of its model in the registry; None where nobody can say.

    Returns:
        Words without a full stop; none for a run that came to no verdict.
    """
    model = str(record.config["model"]) + ("" if version is None else f" version {version}")
    return {
        "promoted": f"Promoted as {model}",
        SERVED_ALREADY: f"Nothing to promote: {model} served already",
        "passed": "Passed every gate; nothing was promoted, as it was asked",
    }.get(verdict_shown(record), "")


def rests_on(record: Record) -> tuple[str, ...]:
    """The sentences that a run which nothing stopped rests on: the candidate by itself, then against the others."""
    by_name = {outcome.name: outcome for outcome in record.steps}
    own = by_name["evaluate"].reasons if "evaluate" in by_name else ()
    return (*own, *promoted_because(by_name["promote"])) if _promoted(record) else own


def promoted_because(promote: Outcome) -> tuple[str, ...]:
    """Why a model was promoted; without the first sentence, that it serves now, which the next promotion makes untrue.

    Args:
        promote: the outcome of the step, which was executed and passed.
    """
    return promote.reasons[1:]


def _promoted(record: Record) -> bool:
    # A promotion is never taken from the store: one that was not executed found nothing to do.
    return any(
        outcome.name == "promote" and outcome.outcome == "executed" and outcome.passed for outcome in record.steps
    )
