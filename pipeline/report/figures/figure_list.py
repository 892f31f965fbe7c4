"""The figures of a run: as PNG for the folder of pictures, as SVG for the model card."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from components.artifacts.artifact import Artifact
from components.artifacts.evaluation import Evaluation
from components.artifacts.examples import Examples
from components.artifacts.model import Model
from components.artifacts.statistics import Statistics
from pipeline.report.drawings.drawing_cache import Drawing
from pipeline.report.figures.calibration_plot import calibration_plot
from pipeline.report.figures.class_balance import class_balance
from pipeline.report.figures.confusion_plot import confusion_cells, confusion_matrix
from pipeline.report.figures.prediction_plot import predictions
from pipeline.report.figures.sample_plot import samples
from pipeline.report.figures.style import drawing, to_png, to_svg
from pipeline.report.figures.training_curves import accuracy_curve, learning_curves, loss_curve

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def _drawing(name: str, draw: Callable[..., Figure], **artifacts: type[Artifact]) -> Drawing:
    """A figure as a file.

    Args:
        name: the file's name; `.png` or `.svg` decides about the format.
        draw: from artifacts to the figure.
        artifacts: the classes of the artifacts, by the step that makes them, in the order of the parameters of `draw`.
    """

    def make(*loaded: Artifact) -> bytes:
        with drawing():
            figure = draw(*loaded)
            return to_png(figure) if name.endswith(".png") else to_svg(figure, Path(name).stem).encode()

    return Drawing(name, make, draw.__module__, artifacts)


PICTURES = (
    _drawing("class-balance.png", class_balance, analyze=Statistics),
    _drawing("samples.png", samples, ingest=Examples),
    _drawing("learning-curves.png", learning_curves, train=Model),
    _drawing("confusion-matrix.png", confusion_matrix, evaluate=Evaluation, ingest=Examples),
    _drawing("predictions.png", predictions, ingest=Examples, evaluate=Evaluation),
)
# The card is read on a phone too: its figures are narrower, and it has samples and predictions as HTML.
CARD_PLOTS = (
    _drawing("class-balance.svg", class_balance, analyze=Statistics),
    _drawing("loss.svg", loss_curve, train=Model),
    _drawing("accuracy.svg", accuracy_curve, train=Model),
    _drawing("confusion.svg", confusion_cells, evaluate=Evaluation, ingest=Examples),
    _drawing("calibration.svg", calibration_plot, evaluate=Evaluation),
)
