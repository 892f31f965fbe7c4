"""Evaluation -> confusion matrix: which classes are taken for which others, and how often."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from components.artifacts.evaluation import Evaluation
from components.artifacts.examples import Examples
from pipeline.report.letters import legible, width_inches
from pipeline.report.style import VERMILLION, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import PowerNorm
    from matplotlib.figure import Figure

# With more classes than this, numbers in the cells cannot be read: a scale and a list of the worst take their place.
NUMBERED_CLASSES = 20
# With more classes than this, not every name has a place at the axes.
NAMED_CLASSES = 100
LISTED_CONFUSIONS = 20


def confusion_matrix(evaluation: Evaluation, examples: Examples) -> Figure:
    """A heat map; with many classes, beside it the most frequent confusions by name."""
    from matplotlib.axes import Axes

    classes = len(examples.class_names)
    if classes <= NUMBERED_CLASSES:
        side = 3.6 + 0.3 * classes
        figure = new_figure(side + 0.6, side)
        axes = figure.subplots()
        assert isinstance(axes, Axes)
        draw_confusion(axes, evaluation, examples.class_names)
        return figure
    side = 3.5 + 0.085 * min(classes, NAMED_CLASSES)
    figure = new_figure(side + 4, side)
    matrix, worst = figure.subplots(1, 2, width_ratios=(side, 2.2))
    draw_confusion(matrix, evaluation, examples.class_names)
    _draw_worst(worst, np.array(evaluation.confusion), examples.class_names)
    return figure


def draw_confusion(axes: Axes, evaluation: Evaluation, class_names: tuple[str, ...]) -> None:
    """Draws the counts, the right ones in blue and the wrong ones in orange, each on a scale of its own.

    Args:
        axes: where.
        evaluation: whose confusion is drawn, rows by true label, and whose accuracy is the title.
        class_names: by integer label.
    """
    from matplotlib.colors import PowerNorm
    from matplotlib.ticker import MaxNLocator

    counts = np.array(evaluation.confusion)
    diagonal = np.eye(len(counts), dtype=bool)
    for shown, colours in ((diagonal, "Blues"), (~diagonal, "Oranges")):
        # Not in proportion, so that one image can be seen beside a hundred; but one or two alone stay pale.
        scale = PowerNorm(0.7, 0, max(1.3 * counts[shown].max(initial=0), 10))
        drawn = axes.imshow(np.ma.masked_array(counts, ~shown | (counts == 0)), cmap=colours, norm=scale)
        if len(counts) <= NUMBERED_CLASSES:
            _write_counts(axes, counts, shown, scale)
    if len(counts) > NUMBERED_CLASSES:
        label = "wrongly predicted test images"
        axes.figure.colorbar(drawn, ax=axes, label=label, shrink=0.6, ticks=MaxNLocator(integer=True, min_n_ticks=1))
    points = 9 if len(class_names) <= NUMBERED_CLASSES else 7 if len(class_names) <= 60 else 5
    # The matrix is some six inches wide.
    name_classes(axes, class_names, points, room=5 / min(len(class_names), NAMED_CLASSES))
    low, high = evaluation.interval
    axes.set_title(
        f"{evaluation.rows:,} test images: accuracy {evaluation.accuracy:.4f}\n(95 % interval {low:.4f} to {high:.4f})"
    )


def _write_counts(axes: Axes, counts: npt.NDArray[np.int64], shown: npt.NDArray[np.bool_], scale: PowerNorm) -> None:
    for row, column in np.argwhere(shown & (counts > 0)):
        count = int(counts[row, column])
        colour = "white" if scale(count) > 0.6 else "black"
        axes.text(column, row, str(count), ha="center", va="center", size=8, color=colour, in_layout=False)


def name_classes(axes: Axes, class_names: Sequence[str], points: float, room: float) -> None:
    """Writes the classes along both axes of a confusion matrix, upright where they are too wide to lie.

    Args:
        axes: whose.
        class_names: by integer label; of very many, each second, third, ... is written.
        points: the letters' size.
        room: inches that a name has along the horizontal axis.
    """
    step = -(-len(class_names) // NAMED_CLASSES)
    names = [legible(name, 8) for name in class_names[::step]]
    places = range(0, len(class_names), step)
    wide = max(width_inches(name, points) for name in names) > room
    axes.set_xticks(places, names, rotation=90 if wide else 0, size=points)
    axes.set_yticks(places, names, size=points)
    axes.set(xlabel="predicted class", ylabel="true class")
    axes.grid(visible=False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _draw_worst(axes: Axes, counts: npt.NDArray[np.int64], class_names: tuple[str, ...]) -> None:
    wrong = np.where(np.eye(len(counts), dtype=bool), 0, counts)
    worst = np.argsort(-wrong, axis=None, kind="stable")[:LISTED_CONFUSIONS]
    pairs = [divmod(int(place), len(counts)) for place in worst if wrong.flat[place]]
    places = range(len(pairs))
    drawn = axes.barh(places, [int(wrong[pair]) for pair in pairs], color=VERMILLION)
    axes.bar_label(drawn, padding=2, size=7)
    said = [f"{legible(class_names[true], 8)}, as {legible(class_names[taken], 8)}" for true, taken in pairs]
    axes.set_yticks(places, said, size=7)
    axes.invert_yaxis()
    axes.grid(visible=False)
    axes.set(xlabel="test images", title="most frequent confusions")
