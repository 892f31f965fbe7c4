"""Examples + Evaluation -> single test images, each with the probabilities of its classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from components.artifacts.evaluation import Evaluation
from components.artifacts.examples import Examples
from pipeline.report.letters import legible, width_inches
from pipeline.report.style import BLUE, GREY, VERMILLION, lay_out, new_figure, new_sheet
from pipeline.report.tiles import read_tiles
from pipeline.report.worth_a_look import SHOWN_CLASSES, Prediction, choose

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = 3
# In inches. A cell holds a title and below it an image, and right of the image the names and bars of its classes.
CELL_WIDTH, CELL_HEIGHT = 3.3, 1.45
HEADING, TITLE, MARGIN = 0.36, 0.22, 0.08
IMAGE_SIDE = 1.08
NUMBER_WIDTH = 0.45
PITCH = IMAGE_SIDE / SHOWN_CLASSES
# In points.
NAME_SIZE, NUMBER_SIZE = 8, 7


@dataclass(frozen=True)
class Bar:
    """The probability of one class of one image, on the sheet.

    Attributes:
        name: of the class.
        probability: fraction.
        colour: of bar and name.
        zero: where the bar begins, inches from the left.
        width: its length, inches.
        place: its middle, inches from the top.
    """

    name: str
    probability: float
    colour: str
    zero: float
    width: float
    place: float


def predictions(examples: Examples, evaluation: Evaluation) -> Figure:
    """The picture of `draw_predictions`."""
    figure = new_figure(COLUMNS * CELL_WIDTH, 1)
    figure.set_figheight(draw_predictions(new_sheet(figure), examples, evaluation, COLUMNS))
    return figure


def draw_predictions(axes: Axes, examples: Examples, evaluation: Evaluation, columns: int) -> float:
    """Draws the images that are worth a look, kind below kind; a kind of which there is none is left out.

    Args:
        axes: where; they become a sheet.
        examples: where the test images are.
        evaluation: of these examples.
        columns: images beside one another.

    Returns:
        The height of the sheet, in inches.
    """
    chosen = choose(evaluation.probabilities(), examples.all_labels("test"), columns)
    wrong = evaluation.rows - evaluation.correct
    kinds = {
        f"right: {evaluation.correct:,} of {evaluation.rows:,} test images": chosen.usual,
        "right, but the least sure": chosen.unsure,
        f"wrong: {wrong:,}; the true class least probable first": chosen.worst,
    }
    width, height = columns * CELL_WIDTH, 0.0
    for heading, shown in kinds.items():
        if shown:
            axes.text(MARGIN, height + HEADING / 2, heading, va="center", size=10, weight="bold")
            _draw_kind(axes, examples, shown, height + HEADING, columns)
            height += HEADING + CELL_HEIGHT * -(-len(shown) // columns)
    said = "bars: probability (fraction)"
    axes.text(width - MARGIN, HEADING / 2, said, va="center", ha="right", size=NAME_SIZE, color=GREY)
    lay_out(axes, width, height)
    return height


def _draw_kind(axes: Axes, examples: Examples, shown: tuple[Prediction, ...], top: float, columns: int) -> None:
    tiles = read_tiles(examples, "test", np.array([prediction.row for prediction in shown], np.int64))
    bars: list[Bar] = []
    for place, (prediction, tile) in enumerate(zip(shown, tiles, strict=True)):
        row, column = divmod(place, columns)
        left, upper = column * CELL_WIDTH + MARGIN, top + row * CELL_HEIGHT
        _draw_title(axes, prediction, examples.class_names, left, upper)
        _draw_image(axes, tile, left, upper + TITLE)
        bars += _bars(prediction, examples.class_names, left, upper + TITLE)
    _draw_bars(axes, bars)


def _draw_title(axes: Axes, prediction: Prediction, class_names: tuple[str, ...], left: float, upper: float) -> None:
    said = legible(class_names[prediction.label], 7)
    if not prediction.right:
        said += f", taken for {legible(class_names[prediction.classes[0]], 7)}"
    middle, end = upper + TITLE / 2, left + CELL_WIDTH - 2 * MARGIN
    axes.text(left, middle, said, va="center", color=BLUE if prediction.right else VERMILLION)
    axes.text(end, middle, f"row {prediction.row:,}", va="center", ha="right", size=NUMBER_SIZE, color=GREY)


def _draw_image(axes: Axes, tile: npt.NDArray[np.uint8], left: float, upper: float) -> None:
    tall, wide = (IMAGE_SIDE * side / max(tile.shape[:2]) for side in tile.shape[:2])
    left, upper = left + (IMAGE_SIDE - wide) / 2, upper + (IMAGE_SIDE - tall) / 2
    axes.imshow(tile, extent=(left, left + wide, upper + tall, upper))


def _bars(prediction: Prediction, class_names: tuple[str, ...], left: float, upper: float) -> list[Bar]:
    names = [legible(class_names[shown], 8) for shown in prediction.classes]
    zero = left + IMAGE_SIDE + 2 * MARGIN + max(width_inches(name, NAME_SIZE) for name in names)
    full = left + CELL_WIDTH - NUMBER_WIDTH - zero
    return [
        Bar(name, probability, _colour(prediction, shown), zero, full * probability, upper + (place + 0.5) * PITCH)
        for place, (name, shown, probability) in enumerate(
            zip(names, prediction.classes, prediction.probabilities, strict=True)
        )
    ]


def _draw_bars(axes: Axes, bars: list[Bar]) -> None:
    # All at once: a call of barh takes as long as a dozen bars.
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
