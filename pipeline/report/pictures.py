"""Which pictures there are, from whose artifacts each is drawn, and what a drawn one depends on."""

from __future__ import annotations

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
from pipeline.report.payloads import Payloads
from pipeline.report.predictions import predictions
from pipeline.report.samples import samples
from pipeline.report.style import drawing, save_png

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

    def identity(self, payloads: Payloads) -> str:
        """SHA-256 of everything that the file's bytes depend on; every artifact of `artifacts` is there."""
        return payloads.identity(self.file, self.figure.__module__, self.artifacts)

    def draw(self, payloads: Payloads, file: Path) -> None:
        """Draws the picture from a run's artifacts into a file. Raises: BeamlineError: one is damaged."""
        loaded = [payloads.load(step, kind) for step, kind in self.artifacts.items()]
        with drawing():
            save_png(self.figure(*loaded), file)


PICTURES = (
    Picture("class-balance.png", class_balance, {"analyze": Statistics}),
    Picture("samples.png", samples, {"ingest": Examples}),
    Picture("learning-curves.png", learning_curves, {"train": Model}),
    Picture("confusion-matrix.png", confusion_matrix, {"evaluate": Evaluation, "ingest": Examples}),
    Picture("predictions.png", predictions, {"ingest": Examples, "evaluate": Evaluation}),
)
