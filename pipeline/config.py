"""Everything that a run is told, as one frozen value."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from components import evaluate, ingest, promote, train, transform, validate, verify
from components.beam import BeamOptions


@dataclass(frozen=True)
class Config:
    """What to run, and where.

    Attributes:
        model: the name under which the result is promoted.
        runs: the folder of artifacts, history and logs.
        models: the registry's folder.
        beam: what the data-parallel jobs run on.
        ingest: parameters of the component, as are those below.
    """

    model: str
    runs: Path
    models: Path
    beam: BeamOptions
    ingest: ingest.Params
    validate: validate.Params
    transform: transform.Params
    train: train.Params
    evaluate: evaluate.Params
    verify: verify.Params
    promote: promote.Params
