"""Examples + Evaluation -> selected test images, each with the probabilities of its classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from components.artifacts.evaluation import Evaluation
from components.artifacts.examples import Examples
from pipeline.report.figures.style import BLUE, GREY, VERMILLION, lay_out, new_figure, new_sheet
from pipeline.report.figures.text_fitting import fit_text, width_inches
from pipeline.report.figures.thumbnails import to_thumbnails
from pipeline.report.selected_examples import SHOWN_CLASSES, Prediction, select_examples

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = 3
# In inches. A cell has a title, below it an image, and right of the image the names and bars of its classes.
CELL_WIDTH, CELL_HEIGHT = 3.3, 1.45
HEADING, TITLE, MARGIN = 0.36, 0.22, 0.08
IMAGE_SIDE = 1.08
NUMBER_WIDTH = 0.45
PITCH = IMAGE_SIDE / SHOWN_CLASSES
# In points.
NAME_SIZE, NUMBER_SIZE = 8, 7


@dataclass(frozen=True)
class Bar:
    """The probability of one class, a fraction, as a bar on the sheet.

    In inches: `zero` is its left end from the left, `place` its middle from the top.
    """

    name: str
    probability: float
    colour: str
    zero: float
    width: float
    place: float


def predictions(examples: Examples, evaluation: Evaluation) -> Figure:
    """The selected examples on a figure of their own; see `draw_predictions`."""
    figure = new_figure(COLUMNS * CELL_WIDTH, 1)
    figure.set_figheight(draw_predictions(new_sheet(figure), examples, evaluation, COLUMNS))
    return figure


def draw_predictions(axes: Axes, examples: Examples, evaluation: Evaluation, columns: int) -> float:
    """Draws the selected examples, kind below kind, on axes that become a sheet; see `lay_out`.

    A kind without images is left out. Returns: the height of the sheet, in inches.
    """
    selected = select_examples(evaluation.probabilities(), examples.all_labels("test"), columns)
    wrong = evaluation.rows - evaluation.correct
    kinds = {
        f"right: {evaluation.correct:,} of {evaluation.rows:,} test images": selected.usual,
        "right, but the least sure": selected.unsure,
        f"wrong: {wrong:,}; the true class least probable first": selected.worst,
    }
    width, height = columns * CELL_WIDTH, 0.0
    for heading, shown in kinds.items():
        if shown:
            axes.text(MARGIN, height + HEADING / 2, heading, va="center", size=10, weight="bold")
            _draw_kind(axes, examples, shown, height + HEADING, columns)
            height += HEADING + CELL_HEIGHT * -(-len(shown) // columns)
    note = "bars: probability (fraction)"
    axes.text(width - MARGIN, HEADING / 2, note, va="center", ha="right", size=NAME_SIZE, color=GREY)
    lay_out(axes, width, height)
    return height


def _draw_kind(axes: Axes, examples: Examples, shown: tuple[Prediction, ...], top: float, columns: int) -> None:
    thumbnails = to_thumbnails(examples.images_at("test", np.array([prediction.row for prediction in shown], np.int64)))
    bars: list[Bar] = []
    for place, (prediction, thumbnail) in enumerate(zip(shown, thumbnails, strict=True)):
        row, column = divmod(place, columns)
        left, upper = column * CELL_WIDTH + MARGIN, top + row * CELL_HEIGHT
        _draw_title(axes, prediction, examples.class_names, left, upper)
        _draw_image(axes, thumbnail, left, upper + TITLE)
        bars += _bars(prediction, examples.class_names, left, upper + TITLE)
    _draw_bars(axes, bars)


def _draw_title(axes: Axes, prediction: Prediction, class_names: tuple[str, ...], left: float, upper: float) -> None:
    title = fit_text(class_names[prediction.label], 7)
    if not prediction.right:
        title += f", taken for {fit_text(class_names[prediction.classes[0]], 7)}"
    middle, end = upper + TITLE / 2, left + CELL_WIDTH - 2 * MARGIN
    axes.text(left, middle, title, va="center", color=BLUE if prediction.right else VERMILLION)
    axes.text(end, middle, f"row {prediction.row:,}", va="center", ha="right", size=NUMBER_SIZE, color=GREY)


def _draw_image(axes: Axes, thumbnail: npt.NDArray[np.uint8], left: float, upper: float) -> None:
    tall, wide = (IMAGE_SIDE * side / max(thumbnail.shape[:2]) for side in thumbnail.shape[:2])
    left, upper = left + (IMAGE_SIDE - wide) / 2, upper + (IMAGE_SIDE - tall) / 2
    axes.imshow(thumbnail, extent=(left, left + wide, upper + tall, upper))


def _bars(prediction: Prediction, class_names: tuple[str, ...], left: float, upper: float) -> list[Bar]:
    names = [fit_text(class_names[shown], 8) for shown in prediction.classes]
    zero = left + IMAGE_SIDE + 2 * MARGIN + max(width_inches(name, NAME_SIZE) for name in names)
    full = left + CELL_WIDTH - NUMBER_WIDTH - zero
    return [
        Bar(name, probability, _colour(prediction, shown), zero, full * probability, upper + (place + 0.5) * PITCH)
        for place, (name, shown, probability) in enumerate(
            zip(names, prediction.classes, prediction.probabilities, strict=True)
        )
    ]


def _draw_bars(axes: Axes, bars: list[Bar]) -> None:
    # One call: a call of barh takes as long as a dozen bars.
    places, zeros = np.array([bar.place for bar in bars]), [bar.zero for bar in bars]
    widths, colours = [bar.width for bar in bars], [bar.colour for bar in bars]
    axes.barh(places, widths, left=zeros, height=0.7 * PITCH, color=colours)
    axes.vlines(zeros, places - PITCH / 2, places + PITCH / 2, color=GREY, linewidth=0.8)
    for bar in bars:
        before, after = bar.zero - MARGIN / 2, bar.zero + bar.width + MARGIN / 2
        axes.text(before, bar.place, bar.name, ha="right", va="center_baseline", size=NAME_SIZE, color=bar.colour)
        axes.text(after, bar.place, f"{bar.probability:.2f}", va="center_baseline", size=NUMBER_SIZE, color=GREY)


def _colour(prediction: Prediction, shown: int) -> str:
    if shown == prediction.label:
        return BLUE
    return VERMILLION if shown == prediction.classes[0] else GREY
