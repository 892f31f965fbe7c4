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

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def render_figure(name: str, draw: Callable[[], Figure]) -> bytes:
    """A figure as a file; `.png` or `.svg` in its name decides about the format."""
    from pipeline.report.figures.style import drawing, to_png, to_svg

    with drawing():
        figure = draw()
        return to_png(figure) if name.endswith(".png") else to_svg(figure, Path(name).stem).encode()


def _drawing(name: str, function: str, **artifacts: type[Artifact]) -> Drawing:
    """A figure as a file.

    Args:
        name: the file's name.
        function: `MODULE:FUNCTION` in this package, from artifacts to the figure.
        artifacts: the classes of the artifacts, by the step that makes them, in the order of the function's parameters.
    """
    return Drawing(name, f"{__package__}.{function}", render_figure, artifacts)


PICTURES = (
    _drawing("class-balance.png", "class_balance:class_balance", analyze=Statistics),
    _drawing("samples.png", "sample_plot:samples", ingest=Examples),
    _drawing("learning-curves.png", "training_curves:learning_curves", train=Model),
    _drawing("confusion-matrix.png", "confusion_plot:confusion_matrix", evaluate=Evaluation, ingest=Examples),
    _drawing("predictions.png", "prediction_plot:predictions", ingest=Examples, evaluate=Evaluation),
)
# The card is read on a phone too: its figures are narrower, and it has samples and predictions as HTML.
CARD_PLOTS = (
    _drawing("class-balance.svg", "class_balance:class_balance", analyze=Statistics),
    _drawing("loss.svg", "training_curves:loss_curve", train=Model),
    _drawing("accuracy.svg", "training_curves:accuracy_curve", train=Model),
    _drawing("confusion.svg", "confusion_plot:confusion_cells", evaluate=Evaluation, ingest=Examples),
    _drawing("calibration.svg", "calibration_plot:calibration_plot", evaluate=Evaluation),
)
