"""Evaluation -> confusion matrix: which classes are predicted as which others, and how often."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from components.artifacts.evaluation import Evaluation
from components.artifacts.examples import Examples
from pipeline.report.figures.style import BLUE, INK, VERMILLION, new_figure, single_axes
from pipeline.report.figures.text_fitting import fit_text, width_inches
from pipeline.report.worst_confusions import worst_confusions

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

# With more classes than this, numbers in the cells cannot be read.
NUMBERED_CLASSES = 20
# With more classes than this, there is no room for every name at the axes.
NAMED_CLASSES = 100
LISTED_CONFUSIONS = 20
# Opacity of a cell: strong enough to be seen, weak enough for a number on it, on a light and on a dark page.
MIN_OPACITY, MAX_OPACITY = 0.08, 0.65


def confusion_matrix(evaluation: Evaluation, examples: Examples) -> Figure:
    """The counts with the accuracy as title; with many classes, beside them the most frequent confusions by name."""
    names = examples.class_names
    if len(names) <= NUMBERED_CLASSES:
        side = 3.6 + 0.3 * len(names)
        figure = new_figure(side + 0.6, side)
        draw_confusion(single_axes(figure), evaluation, names)
        return figure
    side = 3.5 + 0.085 * min(len(names), NAMED_CLASSES)
    figure = new_figure(side + 4, side)
    matrix, worst = figure.subplots(1, 2, width_ratios=(side, 2.2))
    draw_confusion(matrix, evaluation, names)
    _draw_worst(worst, evaluation, names)
    return figure


def confusion_cells(evaluation: Evaluation, examples: Examples) -> Figure:
    """The counts alone, small enough for a phone."""
    wrong = evaluation.rows - evaluation.correct
    side = 1.2 + 0.36 * min(max(len(examples.class_names), 4), NUMBERED_CLASSES)
    description = f"confusion matrix of {evaluation.rows:,} test images, {wrong:,} of them off its diagonal"
    figure = new_figure(side, side, description)
    axes = single_axes(figure)
    _draw_cells(axes, np.array(evaluation.confusion))
    name_classes(axes, examples.class_names, 8 if len(examples.class_names) <= NUMBERED_CLASSES else 4, room=0.3)
    return figure


def draw_confusion(axes: Axes, evaluation: Evaluation, class_names: Sequence[str]) -> None:
    """Draws the counts, rows by true label: correct ones in blue, wrong ones in orange, each on a scale of its own."""
    from matplotlib.ticker import MaxNLocator

    drawn = _draw_cells(axes, np.array(evaluation.confusion))
    if len(class_names) > NUMBERED_CLASSES:
        label = "wrongly predicted test images"
        axes.figure.colorbar(drawn, ax=axes, label=label, shrink=0.6, ticks=MaxNLocator(integer=True, min_n_ticks=1))
    points = 9 if len(class_names) <= NUMBERED_CLASSES else 7 if len(class_names) <= 60 else 5
    # The matrix is about six inches wide.
    name_classes(axes, class_names, points, room=5 / min(len(class_names), NAMED_CLASSES))
    low, high = evaluation.interval
    axes.set_title(
        f"{evaluation.rows:,} test images: accuracy {evaluation.accuracy:.4f}\n(95 % interval {low:.4f} to {high:.4f})"
    )


def _draw_cells(axes: Axes, counts: npt.NDArray[np.int64]) -> AxesImage:
    """Returns: the image of the wrong predictions, which has their scale."""
    from matplotlib.colors import LinearSegmentedColormap, PowerNorm, to_rgba

    diagonal = np.eye(len(counts), dtype=bool)
    for shown, colour in ((diagonal, BLUE), (~diagonal, VERMILLION)):
        # Not in proportion, so that one image can be seen beside a hundred; but one or two alone stay pale.
        scale = PowerNorm(0.7, 0, max(counts[shown].max(initial=0), 10))
        ends = [to_rgba(colour, opacity) for opacity in (MIN_OPACITY, MAX_OPACITY)]
        colours = LinearSegmentedColormap.from_list("cells", ends)
        cells = np.ma.masked_array(counts, ~shown | (counts == 0))
        drawn = axes.imshow(cells, cmap=colours, norm=scale, interpolation="nearest")
    if len(counts) <= NUMBERED_CLASSES:
        size = 8 if counts.max(initial=0) < 10_000 else 6
        for row, column in np.argwhere(counts > 0):
            number = axes.text(column, row, str(counts[row, column]), ha="center", va="center", size=size, color=INK)
            number.set_in_layout(False)
    return drawn


def name_classes(axes: Axes, class_names: Sequence[str], points: float, room: float) -> None:
    """Writes the classes along both axes of a confusion matrix; upright if they are too wide for the horizontal axis.

    Args:
        axes: the axes of the matrix.
        class_names: by integer label; of very many, each second, third, ... is written.
        points: the font size.
        room: inches for a name on the horizontal axis.
    """
    step = -(-len(class_names) // NAMED_CLASSES)
    names = [fit_text(name, 8) for name in class_names[::step]]
    places = range(0, len(class_names), step)
    wide = max(width_inches(name, points) for name in names) > room
    axes.set_xticks(places, names, rotation=90 if wide else 0, size=points)
    axes.set_yticks(places, names, size=points)
    axes.set(xlabel="predicted class", ylabel="true class")
    axes.grid(visible=False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _draw_worst(axes: Axes, evaluation: Evaluation, class_names: Sequence[str]) -> None:
    worst = worst_confusions(evaluation.confusion, LISTED_CONFUSIONS)
    bars = axes.barh(range(len(worst)), [found.rows for found in worst], color=VERMILLION)
    axes.bar_label(bars, padding=2, size=7)
    names = [f"{fit_text(class_names[one.label], 8)}, as {fit_text(class_names[one.predicted], 8)}" for one in worst]
    axes.set_yticks(range(len(worst)), names, size=7)
    axes.invert_yaxis()
    axes.grid(visible=False)
    axes.set(xlabel="test images", title="most frequent confusions")
