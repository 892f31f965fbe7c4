"""Outcome: the result of one step of a run, as Beam passes it on, the history keeps it and the log shows it."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, Self

from serving.codec import to_json

log = logging.getLogger("beamline.pipeline")

Kind = Literal["executed", "cached", "refused", "failed", "skipped"]


@dataclass(frozen=True)
class Outcome:
    """The result of one step.

    Attributes:
        name: the step.
        outcome: a `refused` or `skipped` step did not run: an input was refused, or an earlier step failed.
        seconds: duration of the step.
        artifact: name of its artifact in the store; None if it has none.
        sha256: digest of the artifact's content.
        passed: the artifact's verdict; True for a step that is up to date; False if it was refused, skipped or failed.
        reasons: the sentences behind the verdict, the refusal or the failure.
        summary: the artifact on one line.
        exit_code: exit code of a failure; 0 otherwise.
        because: why the step was executed: what differs from the previous run, or `--force`.
        inner: the names of the artifacts of its inner steps.
    """

    IGNORES_UNKNOWN: ClassVar[bool] = True

    name: str
    outcome: Kind
    seconds: float = 0.0
    artifact: str | None = None
    sha256: str | None = None
    passed: bool = False
    reasons: tuple[str, ...] = ()
    summary: str = ""
    exit_code: int = 0
    because: tuple[str, ...] = ()
    inner: tuple[str, ...] = ()

    @property
    def artifact_name(self) -> str:
        """The name of its artifact; only for a step that has one."""
        assert self.artifact is not None, f"{self.name} has no artifact"
        return self.artifact

    def with_inner(self, inner: Mapping[str, Outcome]) -> Self:
        """The same, with the artifacts of the step's inner steps; each has one."""
        return replace(self, inner=tuple(outcome.artifact_name for outcome in inner.values()))


Outcomes = Mapping[str, Outcome]


def exit_code(outcomes: Outcomes) -> int:
    """The exit code of a run: that of the failure, else 3 for a refusal, else 0."""
    failed = next((outcome.exit_code for outcome in outcomes.values() if outcome.outcome == "failed"), None)
    if failed is not None:
        return failed
    return 0 if all(outcome.passed for outcome in outcomes.values()) else 3


def stopping(outcomes: Outcomes) -> Outcome | None:
    """The step that stopped a run: the failed one, else the first refusal; None if no step stopped it."""
    failed = (outcome for outcome in outcomes.values() if outcome.outcome == "failed")
    refused = (outcome for outcome in outcomes.values() if not outcome.passed)
    return next(failed, None) or next(refused, None)


def log_begin(step: str) -> None:
    """Logs that a step begins."""
    log.info("%-10s …", step, extra={"event": {"event": "begin", "step": step}})


def log_outcome(outcome: Outcome, explain: bool = False) -> None:
    """Logs the outcome of a step; with `explain`, also why it was executed."""
    event = {"event": "step", **to_json(outcome)}
    event["step"] = event.pop("name")
    log.info("%s", outcome_line(outcome), extra={"event": event})
    if explain:
        for reason in outcome.because:
            log.info("%10s because %s", "", reason, extra={"event": {"event": "because", "step": outcome.name}})


def outcome_line(outcome: Outcome) -> str:
    """One line: name, outcome, seconds, and the artifact or the reasons."""
    seconds = f"{outcome.seconds:6.1f} s" if outcome.outcome == "executed" else " " * 8
    verdict = "REFUSED: " if outcome.outcome in ("executed", "cached") and not outcome.passed else ""
    text = outcome.summary or "; ".join(outcome.reasons)
    if outcome.outcome == "refused":
        # The line of the step that refused has the arithmetic.
        text = re.sub(r"^refused (by \w+): .*", r"\1", text)
    return f"{outcome.name:<10} {outcome.outcome:<8} {seconds}  {verdict}{text}"
