"""Config: everything that a run is configured with, as one frozen value."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components import evaluate, ingest, promote, train, transform, validate, verify
from components.beam import BeamOptions
from components.ingest.ingest import source_of
from components.ingest.source import Source
from components.run_context import RunContext
from pipeline.settings.seed_margins import known_margin
from serving.codec import from_json, to_json


@dataclass(frozen=True)
class Config:
    """What to run, and where.

    Attributes:
        model: the name to promote under.
        runs: the folder of artifacts, history and logs.
        models: the registry's folder.
        beam: the runner of the data-parallel jobs.
        source: the folder or file of a data set that TensorFlow Datasets does not have.
        data_dir: where TensorFlow Datasets keeps prepared sets; None is its own default.
        manual_dir: the data set's original files, which replace a download.
        schema: the file that training data must match.
        ingest: the component's parameters, as are those below.
    """

    model: str
    runs: Path
    models: Path
    beam: BeamOptions
    source: Path | None
    data_dir: Path | None
    manual_dir: Path | None
    schema: Path | None
    ingest: ingest.Params
    validate: validate.Params
    transform: transform.Params
    train: train.Params
    evaluate: evaluate.Params
    verify: verify.Params
    promote: promote.Params

    def context(self, run: str = "") -> RunContext:
        """The context of a run, by its number."""
        return RunContext(
            run=run,
            model=self.model,
            models=self.models,
            source=self.source,
            data_dir=self.data_dir,
            manual_dir=self.manual_dir,
            schema=self.schema,
            digest_cache=self.runs / "fingerprints",
            refused=self.runs / "logs" / "-".join([*([run] if run else []), "refused.csv"]),
            margin=known_margin(self.runs, self.record()),
        )

    def data(self) -> Source:
        """The data set."""
        return source_of(self.ingest, self.context())

    def places(self, promotes: bool = True) -> dict[str, Path]:
        """The folders that a run writes to, by the flag that names each; the registry only if it promotes."""
        prepared = self.data().prepare_folder
        found = {"--runs": self.runs, "--models": self.models if promotes else None, "--data-dir": prepared}
        return {flag: folder for flag, folder in found.items() if folder is not None}

    def record(self) -> dict[str, Any]:
        """The configuration as it is read from a run's record: one object a component, paths as text."""
        found = from_json(dict[str, Any], to_json(self), "the configuration")
        places = {"path": found.pop("source"), "data_dir": found.pop("data_dir"), "manual_dir": found.pop("manual_dir")}
        found["ingest"] |= places
        found["validate"]["schema"] = found.pop("schema")
        return found
