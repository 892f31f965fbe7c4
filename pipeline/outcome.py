"""What became of one step of a run: the element that travels through Beam, and the line in the history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

Kind = Literal["executed", "cached", "refused", "failed", "skipped"]


@dataclass(frozen=True)
class Outcome:
    """One step's part of a run.

    Attributes:
        name: the step.
        outcome: `refused` and `skipped` did not run: an input's verdict is a refusal, an earlier step failed.
        seconds: how long it took.
        artifact: folder of its artifact in the store; None where there is none.
        sha256: digest of the artifact's content.
        passed: the artifact's verdict; False where there is none.
        reasons: what the verdict rests on; why the step did not run; how it failed.
        summary: what the artifact is, on one line.
        exit_code: what a failure stands for; 0 for everything else.
        because: why it was executed and not found: what differs from the run before.
    """

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

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """The outcome that was written as JSON, which knows no tuples."""
        values: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in said.items()}
        return cls(**values)


Made = Mapping[str, Outcome]


def exit_code(made: Made) -> int:
    """What a whole run stands for: its failure, else 3 for a refusal, else 0."""
    failed = next((outcome.exit_code for outcome in made.values() if outcome.outcome == "failed"), None)
    if failed is not None:
        return failed
    return 0 if all(outcome.passed for outcome in made.values()) else 3


def stopping(made: Made) -> Outcome | None:
    """The step that stopped a run: the one that failed, else the first that refused."""
    failed = (outcome for outcome in made.values() if outcome.outcome == "failed")
    refused = (outcome for outcome in made.values() if not outcome.passed)
    return next(failed, None) or next(refused, None)
