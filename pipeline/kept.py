"""A run's artifacts, for the commands that work on what a run made."""

from __future__ import annotations

from typing import TypeVar

from components.artifacts.artifact import Artifact
from pipeline.history import Record
from pipeline.store import Store
from serving.errors import BeamlineError, BundleError, InputError

Kind = TypeVar("Kind", bound=Artifact)


def lack(record: Record, step: str) -> str | None:
    """Why a run has no artifact of a step; None where it has one."""
    outcome = next((outcome for outcome in record.steps if outcome.name == step), None)
    if outcome is not None and outcome.artifact is not None:
        return None
    said = "it did not come so far" if outcome is None else "; ".join(outcome.reasons)
    return f"{step} made nothing: {said}"


def kept(record: Record, store: Store, step: str, kind: type[Kind]) -> Kind:
    """The artifact of a run's step, every byte as it was committed.

    Args:
        record: the run's.
        store: which has its artifacts.
        step: one that made something; see `lack`.
        kind: what it makes.

    Raises:
        InputError: the artifact is gone.
        BundleError: it is not as it was committed.
        BeamlineError: it cannot be read.
    """
    made = {outcome.name: outcome for outcome in record.steps}[step]
    stored = store.stored(store.root / "artifacts" / str(made.artifact))
    if stored is None or stored.sha256 != made.sha256:
        raise InputError(
            f"run {record.run}: the artifact of {step} is no longer in {store.root}: repeat the run, "
            "which makes it again"
        )
    if (damage := stored.damage()) is not None:
        raise BundleError(
            f"run {record.run}: the artifact of {step} is not as it was committed ({damage}): "
            f"delete {stored.path.parent} and repeat the run"
        )
    try:
        return kind.load(stored.path)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BeamlineError(f"run {record.run}: the artifact of {step} cannot be read: {error!r}") from error
