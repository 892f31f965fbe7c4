"""Records of one model's runs -> history plot: test accuracy over the runs, with the limit of each run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.records.run_history import Record
from pipeline.report.figures.style import BLUE, COLUMN_WIDTH, GREY, VERMILLION, new_figure, single_axes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# More points than this on one axis overlap.
MAX_POINTS = 60
JUDGED = ("promoted", "passed", "refused")


@dataclass(frozen=True)
class AccuracyPoint:
    """The accuracy of one run's model.

    Attributes:
        run: the run's number.
        accuracy: fraction.
        interval: its 95 % interval, fractions.
        limit: what the interval's lower end had to reach; None without a limit.
        passed: whether the run's model was promoted, or could have been.
    """

    run: str
    accuracy: float
    interval: tuple[float, float]
    limit: float | None
    passed: bool


def accuracy_points(model: str, records: Sequence[Record]) -> list[AccuracyPoint]:
    """The accuracies of a model: of the newest MAX_POINTS runs that executed a step and have an accuracy.

    `records` are of runs of any models, oldest first.
    """
    points = [
        AccuracyPoint(
            record.run,
            record.figures["accuracy"],
            tuple(record.figures["interval"]),
            record.figures["min_accuracy"],
            record.verdict != "refused",
        )
        for record in records
        if record.config["model"] == model and _judged(record)
    ]
    return points[-MAX_POINTS:]


def history_plot(points: Sequence[AccuracyPoint]) -> Figure:
    """Accuracies with their intervals, and the limits, of one or more points in the order of the runs."""
    last = points[-1]
    description = f"accuracy of {len(points)} judged models; run {last.run}: {last.accuracy:.4f}"
    figure = new_figure(2 * COLUMN_WIDTH, 3, description)
    axes = single_axes(figure)
    for passed, colour, marker, label in ((True, BLUE, "o", "passed"), (False, VERMILLION, "X", "refused")):
        chosen = [(place, point) for place, point in enumerate(points) if point.passed == passed]
        if chosen:
            places, kind = zip(*chosen, strict=True)
            low = [max(0.0, point.accuracy - point.interval[0]) for point in kind]
            high = [max(0.0, point.interval[1] - point.accuracy) for point in kind]
            values = [point.accuracy for point in kind]
            axes.errorbar(places, values, (low, high), fmt=marker, color=colour, capsize=2, label=label)
    limits = [math.nan if point.limit is None else point.limit for point in points]
    if not all(map(math.isnan, limits)):
        # A run is half a step wide to both sides, so that the limit of a single run is visible.
        edges = [place - 0.5 for place in range(len(points) + 1)]
        axes.stairs(limits, edges, baseline=None, color=GREY, linestyle="--", label="limit for the lower end")
    every = -(-len(points) // 20)
    axes.set_xticks(range(0, len(points), every), [point.run for point in points[::every]])
    axes.set(xlabel="run", ylabel="test accuracy (fraction)", xlim=(-0.6, len(points) - 0.4))
    # Runs may lie anywhere inside the axes.
    figure.legend(loc="outside upper left", ncols=3)
    return figure


def _judged(record: Record) -> bool:
    # A run that found every artifact in the store changes nothing here, and need not wait for a new plot.
    executed = any(outcome.outcome == "executed" for outcome in record.steps)
    return executed and record.verdict in JUDGED and "accuracy" in record.figures
