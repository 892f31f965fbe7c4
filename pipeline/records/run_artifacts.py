"""A run's record + the store -> its artifacts, each checked against its digests once."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from components.artifacts.artifact import Artifact
from pipeline.engine.outcome import Outcomes
from pipeline.engine.store import Store
from pipeline.records.run_history import Record
from serving.errors import BeamlineError, BundleError, InputError

Kind = TypeVar("Kind", bound=Artifact)


@dataclass(frozen=True)
class RunArtifacts:
    """The artifacts that the steps of a run made, and the store that holds them."""

    record: Record
    store: Store
    _checked: dict[str, Path] = field(default_factory=dict, repr=False, compare=False)
    _drawn: dict[str, str] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def outcomes(self) -> Outcomes:
        """The outcome of each step, by step."""
        return {outcome.name: outcome for outcome in self.record.steps}

    @cached_property
    def digests(self) -> Mapping[str, str]:
        """The content digest of each artifact, by step; a step without an artifact is not in it."""
        return {name: str(outcome.sha256) for name, outcome in self.outcomes.items() if outcome.artifact is not None}

    def missing_reason(self, step: str) -> str | None:
        """Why the run has no artifact of a step; None if it has one."""
        if step in self.digests:
            return None
        outcome = self.outcomes.get(step)
        if outcome is None:
            return f"it stopped before {step}"
        return f"{step} has no artifact ({'; '.join(outcome.reasons)})"

    def load(self, step: str, kind: type[Kind]) -> Kind:
        """Checks every byte of a step's artifact, then loads it. The step must have one: see `missing_reason`.

        Raises:
            InputError: the artifact was deleted.
            BundleError: the artifact was changed after it was stored.
            BeamlineError: the artifact cannot be read.
        """
        if step not in self._checked:
            self._checked[step] = self._check(step)
        return self._read(step, kind, self._checked[step])

    def load_unchecked(self, step: str, kind: type[Kind]) -> Kind:
        """Loads the artifact of a step without a check of its bytes, which takes long for a large data set.

        Raises: BeamlineError: the artifact cannot be read.
        """
        return self._read(step, kind, self.store.payload(self.outcomes[step].artifact_name))

    def drawn_digest(self, step: str, kind: type[Artifact]) -> str:
        """A digest of what drawings can show of a step's artifact: limits do not change it."""
        if step not in self._drawn:
            self._drawn[step] = self.digests[step]
            if kind.LIMITS:
                with suppress(BeamlineError):
                    self._drawn[step] = self.load_unchecked(step, kind).digest(without=kind.LIMITS)
        return self._drawn[step]

    def _read(self, step: str, kind: type[Kind], path: Path) -> Kind:
        try:
            return kind.load(path)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise BeamlineError(
                f"run {self.record.run}: the artifact of {step} cannot be read ({type(error).__name__}: {error}): "
                "repeat the run to make it again"
            ) from error

    def _check(self, step: str) -> Path:
        outcome = self.outcomes[step]
        stored = self.store.by_name(outcome.artifact_name)
        if stored is None or stored.sha256 != outcome.sha256:
            raise InputError(
                f"run {self.record.run}: the output of {step} is no longer in {self.store.root}: repeat the run "
                "to make it again"
            )
        if (damage := stored.damage()) is not None:
            raise BundleError(
                f"run {self.record.run}: the output of {step} was changed after it was stored ({damage}): "
                f"delete {stored.payload.parent} and repeat the run"
            )
        return stored.payload
