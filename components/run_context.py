"""RunContext: what a run knows that no user sets as a parameter, and that is in no key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from components.significance import Margin


def _nothing() -> None:
    """A run that needs no more has nothing to do meanwhile."""


@dataclass(frozen=True)
class RunContext:
    """Names, places and knowledge of one run. None of them changes what the store keeps, so none is in a step's key.

    A component receives it by annotating a parameter of `run` or of a hook with this type.

    Attributes:
        run: the run's number, for the registry's record; empty outside of a run.
        model: the name to promote under.
        models: the registry's folder.
        source: the folder or file of a data set that TensorFlow Datasets does not have; None for all others.
        data_dir: where TensorFlow Datasets keeps prepared sets; None is its own default.
        manual_dir: the data set's original files, which replace a download; None downloads.
        schema: file that the command `schema` wrote, which training data must match; None requires none.
        digest_cache: the folder that keeps digests of unchanged files between runs; None keeps none.
        refused: the file that lists all bad rows of a data set that ingest refuses; None writes none.
        reason: why a person promotes this model; empty for a promotion by a run.
        manual: a person asks for the promotion: it may promote even a version that was rolled back.
        margin: how far the seed alone moves the accuracy of this recipe; None if it was not measured.
        meanwhile: what this process does first while other processes of Beamline work for it.
    """

    run: str = ""
    model: str = ""
    models: Path = Path("models")
    source: Path | None = None
    data_dir: Path | None = None
    manual_dir: Path | None = None
    schema: Path | None = None
    digest_cache: Path | None = None
    refused: Path | None = None
    reason: str = ""
    manual: bool = False
    margin: Margin | None = None
    meanwhile: Callable[[], object] = _nothing

    @property
    def model_folder(self) -> Path:
        """The model's folder in the registry."""
        return self.models / self.model
