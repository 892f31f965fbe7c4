"""Artifacts -> the plots of a card, as SVG; none is wider than a column, so that they can be read on a phone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from components.artifacts.evaluation import Evaluation
from components.artifacts.examples import Examples
from components.artifacts.model import Model
from components.artifacts.statistics import Statistics
from pipeline.report.balance import draw_balance
from pipeline.report.confusion import NUMBERED_CLASSES, name_classes
from pipeline.report.curves import draw_curves
from pipeline.report.page import svg, themed
from pipeline.report.style import BLUE, GREY, VERMILLION, new_figure
from serving.wilson import estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# In inches, of 96 dots on a screen.
COLUMN = 4.6
# Strong enough to be seen as a cell, weak enough for numbers on it, by day and by night.
STRONGEST, WEAKEST = 0.65, 0.08


def curves(model: Model) -> list[str]:
    """Loss and accuracy over the epochs, of training and of what was held out of it."""
    drawn = []
    for quantity, unit in (("loss", "nats"), ("accuracy", "fraction")):
        with themed():
            figure = new_figure(COLUMN, 3)
            draw_curves(_axes(figure), model, quantity, f"{quantity} ({unit})")
            last = ", ".join(f"{name} {value:.4f}" for name, value in model.history[-1].items())
            says = f"{quantity} over {len(model.history)} epochs; after the last one {last}"
            drawn.append(svg(figure, f"curves-{quantity}", says))
    return drawn


def confusion(evaluation: Evaluation, examples: Examples) -> str:
    """Counts by true and predicted class: the right ones in blue, the wrong ones in orange, each on its own scale."""
    counts = np.array(evaluation.confusion)
    names = examples.class_names
    with themed():
        side = 1.2 + 0.36 * min(max(len(names), 4), NUMBERED_CLASSES)
        figure = new_figure(side, side)
        axes = _axes(figure)
        axes.imshow(_cells(counts), interpolation="nearest")
        if len(names) <= NUMBERED_CLASSES:
            for row, column in np.argwhere(counts > 0):
                axes.text(
                    column, row, str(counts[row, column]), ha="center", va="center", size=_number_size(counts), zorder=3
                )
        name_classes(axes, names, 8 if len(names) <= NUMBERED_CLASSES else 4, room=0.3)
        wrong = evaluation.rows - evaluation.correct
        says = f"confusion matrix of {evaluation.rows:,} test images, {wrong:,} of them off its diagonal"
        return svg(figure, "confusion", says)


def calibration(evaluation: Evaluation) -> str:
    """How often the model is right, against how sure it is; and how many images it is so sure of."""
    found = [found for found in evaluation.calibration if found.rows]
    sure = [float(place.confidence or 0) for place in found]
    right = [float(place.accuracy or 0) for place in found]
    ends = [estimate(round(place.rows * float(place.accuracy or 0)), place.rows) for place in found]
    with themed():
        figure = new_figure(COLUMN, 4.2)
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        upper.plot([0, 1], [0, 1], "--", color=GREY, label="as sure as right")
        low = [max(0.0, value - end.low) for value, end in zip(right, ends, strict=True) if end]
        high = [max(0.0, end.high - value) for value, end in zip(right, ends, strict=True) if end]
        upper.errorbar(sure, right, (low, high), fmt="o", color=BLUE, capsize=2, label="test images, 95 % interval")
        upper.set(ylabel="accuracy (fraction)", ylim=(-0.03, 1.03), xlim=(-0.02, 1.02))
        figure.legend(loc="outside upper left")
        # The bins are of equal width.
        width = 1 / len(evaluation.calibration)
        places = [index * width for index, place in enumerate(evaluation.calibration) if place.rows]
        lower.bar(places, [place.rows for place in found], width * 0.9, align="edge", color=BLUE, log=True)
        lower.yaxis.set_major_formatter("{x:,.0f}")
        # Between them a logarithmic axis would write powers, as formulas.
        lower.yaxis.set_minor_formatter("")
        lower.set(xlabel="probability of the predicted class", ylabel="images")
        says = f"calibration curve: expected calibration error {evaluation.calibration_error:.4f}"
        return svg(figure, "calibration", says)


def balance(statistics: Statistics) -> str:
    """Images of each class in both splits."""
    with themed():
        figure = new_figure(2 * COLUMN, 1)
        draw_balance(figure, statistics)
        says = f"images of each of {len(statistics.class_names):,} classes, training and test"
        return svg(figure, "balance", says)


@dataclass(frozen=True)
class Point:
    """One judged model.

    Attributes:
        run: the run that judged it.
        accuracy: fraction.
        interval: its 95 % interval, fractions.
        limit: that the interval's lower end had to reach; None where there was none.
        passed: whether the run's model was promoted, or could have been.
    """

    run: str
    accuracy: float
    interval: tuple[float, float]
    limit: float | None
    passed: bool


def accuracy_over_time(points: Sequence[Point], name: str) -> str:
    """Accuracy with interval of one model's runs, in the order of the runs, and the limit of each."""
    with themed():
        figure = new_figure(2 * COLUMN, 3)
        axes = _axes(figure)
        for passed, colour, marker, said in ((True, BLUE, "o", "passed"), (False, VERMILLION, "X", "refused")):
            chosen = [(place, point) for place, point in enumerate(points) if point.passed == passed]
            if chosen:
                places, kind = zip(*chosen, strict=True)
                values = [point.accuracy for point in kind]
                low = [max(0.0, point.accuracy - point.interval[0]) for point in kind]
                high = [max(0.0, point.interval[1] - point.accuracy) for point in kind]
                axes.errorbar(places, values, (low, high), fmt=marker, color=colour, capsize=2, label=said)
        limits = [math.nan if point.limit is None else point.limit for point in points]
        if not all(map(math.isnan, limits)):
            # A run is half a step wide to both sides, so that one alone has a limit that can be seen.
            edges = np.arange(len(points) + 1) - 0.5
            axes.stairs(limits, edges, baseline=None, color=GREY, linestyle="--", label="limit for the lower end")
        every = -(-len(points) // 20)
        axes.set_xticks(range(0, len(points), every), [point.run for point in points[::every]])
        axes.set(xlabel="run", ylabel="test accuracy (fraction)", xlim=(-0.6, len(points) - 0.4))
        # Runs may lie anywhere inside the axes.
        figure.legend(loc="outside upper left", ncols=3)
        last = points[-1]
        says = f"accuracy of {len(points)} judged models; run {last.run}: {last.accuracy:.4f}"
        return svg(figure, name, says)


def _axes(figure: object) -> Axes:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    assert isinstance(figure, Figure)
    axes = figure.subplots()
    assert isinstance(axes, Axes)
    return axes


def _cells(counts: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """float64 (classes, classes, 4): red, green, blue and opacity of each cell, 0 to 1."""
    from matplotlib.colors import to_rgb

    diagonal = np.eye(len(counts), dtype=bool)
    cells = np.zeros((*counts.shape, 4))
    for shown, colour in ((diagonal, BLUE), (~diagonal, VERMILLION)):
        # Not in proportion, so that one image can be seen beside a hundred.
        share = (counts / max(counts[shown].max(initial=0), 10)) ** 0.7
        opacity = np.where(counts > 0, WEAKEST + (STRONGEST - WEAKEST) * share, 0)
        cells[shown, :3] = to_rgb(colour)
        cells[shown, 3] = opacity[shown]
    return cells


def _number_size(counts: npt.NDArray[np.int64]) -> float:
    return 8 if counts.max(initial=0) < 10_000 else 6
