"""Which pictures there are, from whose artifacts each is drawn, and what a drawn one depends on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from components.artifacts.artifact import Artifact
from components.artifacts.evaluation import Evaluation
from components.artifacts.examples import Examples
from components.artifacts.model import Model
from components.artifacts.statistics import Statistics
from pipeline.report.balance import class_balance
from pipeline.report.confusion import confusion_matrix
from pipeline.report.curves import learning_curves
from pipeline.report.predictions import predictions
from pipeline.report.samples import samples
from pipeline.report.style import drawing, save_png
from pipeline.source_code import library_versions, source_digests
from serving.files import canonical_json

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Picture:
    """One picture of a run.

    Attributes:
        file: its name.
        figure: draws it from artifacts, in the order of `artifacts`.
        artifacts: the kind of each artifact, by the step that makes it.
    """

    file: str
    figure: Callable[..., Figure]
    artifacts: Mapping[str, type[Artifact]]

    def identity(self, made: Mapping[str, str]) -> str:
        """SHA-256 of everything that the file's bytes depend on.

        Args:
            made: the content digest of each step's artifact; it has those of `artifacts`.
        """
        parts = {
            "artifacts": {step: made[step] for step in self.artifacts},
            "source": source_digests(self.figure.__module__),
            "libraries": library_versions(self.figure.__module__),
        }
        return hashlib.sha256(canonical_json(parts).encode()).hexdigest()

    def draw(self, folders: Mapping[str, Path], file: Path) -> None:
        """Draws the picture from the artifacts in these folders, by step, into a file."""
        loaded = [kind.load(folders[step]) for step, kind in self.artifacts.items()]
        with drawing():
            save_png(self.figure(*loaded), file)


PICTURES = (
    Picture("class-balance.png", class_balance, {"analyze": Statistics}),
    Picture("samples.png", samples, {"ingest": Examples}),
    Picture("learning-curves.png", learning_curves, {"train": Model}),
    Picture("confusion-matrix.png", confusion_matrix, {"evaluate": Evaluation, "ingest": Examples}),
    Picture("predictions.png", predictions, {"ingest": Examples, "evaluate": Evaluation}),
)
