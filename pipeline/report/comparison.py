"""Comparison -> three panels: accuracy over parameters, and what training and scoring take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.comparison.comparison import Comparison, Entry
from pipeline.report.letters import legible
from pipeline.report.style import BLUE, GREY, VERMILLION, drawing, new_figure, save_png

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Of the height of a panel, between the names of two presets.
LEAST_GAP = 0.075
WIDEST_NAME = 11.0


def write_comparison(comparison: Comparison, file: Path) -> None:
    """Writes the picture as PNG; what was not evaluated is not on it."""
    with drawing():
        save_png(comparison_figure(comparison), file)


def comparison_figure(comparison: Comparison) -> Figure:
    """Three panels side by side, every preset in the same place of the last two."""
    entries = comparison.ranked
    figure = new_figure(13, max(3.4, 1.4 + 0.38 * len(entries)))
    figure.set_layout_engine("constrained", w_pad=0.12)
    points, training, scoring = figure.subplots(1, 3, width_ratios=(5, 3, 3))
    draw_accuracy(points, entries)
    draw_training(training, entries)
    draw_rates(scoring, entries)
    return figure


def draw_accuracy(axes: Axes, entries: Sequence[Entry]) -> None:
    """Accuracy with its interval over the number of parameters; each name beside the points, joined by a line."""
    for entry, place in zip(entries, _places(entries), strict=True):
        assert entry.accuracy is not None
        assert entry.interval is not None
        low, high = entry.interval
        colour = _colour(entry)
        error = [[entry.accuracy - low], [high - entry.accuracy]]
        axes.errorbar(entry.parameters or 0, entry.accuracy, error, fmt="o", color=colour, markersize=5, capsize=3)
        axes.annotate(
            _name(entry),
            (entry.parameters or 0, entry.accuracy),
            (1.05, place),
            textcoords="axes fraction",
            va="center",
            color=colour,
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": GREY, "linewidth": 0.5, "relpos": (0, 0.5)},
        )
    axes.set(xscale="log", xlabel="parameters", ylabel="accuracy (fraction)", title="Test accuracy, 95 % interval")
    axes.margins(x=0.1, y=0.08)
    _count_in_numbers(axes)


def draw_training(axes: Axes, entries: Sequence[Entry]) -> None:
    """The time of the step train."""
    _bars(axes, entries, lambda entry: entry.training_seconds, lambda value: f"{value:.1f} s")
    axes.set(xlabel="seconds", title="Training")


def draw_rates(axes: Axes, entries: Sequence[Entry]) -> None:
    """Images a second, the median of the rounds, with the range in which 8 of 10 lie."""
    _bars(
        axes,
        entries,
        lambda entry: None if entry.rate is None else entry.rate.median / 1000,
        lambda value: f"{value:,.0f}",
    )
    for row, entry in enumerate(entries):
        if (rate := entry.rate) is not None:
            spread = [[(rate.median - rate.low) / 1000], [(rate.high - rate.median) / 1000]]
            axes.errorbar(rate.median / 1000, row, xerr=spread, color=GREY, capsize=3)
    axes.set(xlabel="thousand images a second", title="Scoring")


def _bars(
    axes: Axes, entries: Sequence[Entry], of: Callable[[Entry], float | None], said: Callable[[float], str]
) -> None:
    """A bar for each, the best on top, with its figure at the axis's end, where no bar reaches."""
    found = [of(entry) for entry in entries]
    names = [legible(entry.preset, WIDEST_NAME) for entry in entries]
    axes.barh(range(len(entries)), [value or 0.0 for value in found], color=[_colour(e) for e in entries], height=0.6)
    axes.set_yticks(range(len(entries)), names)
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    for row, value in enumerate(found):
        axes.annotate(
            "–" if value is None else said(value),
            (1.02, row),
            xycoords=("axes fraction", "data"),
            va="center",
            annotation_clip=False,
        )


def _count_in_numbers(axes: Axes) -> None:
    """Parameters as people write them, a few on the axis: powers of ten would want formulas."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    low, high = axes.get_xlim()
    subs = (1.0,) if high > 300 * low else (1.0, 3.0) if high > 6 * low else (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)
    axes.xaxis.set_major_locator(LogLocator(subs=subs))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))


def _places(entries: Sequence[Entry]) -> list[float]:
    """Where the names stand, fractions of the height: in the order of the accuracies, apart from each other."""
    reached = [entry.accuracy or 0.0 for entry in entries]
    low, high = min(reached, default=0.0), max(reached, default=1.0)
    places: list[float] = []
    for value in reached:
        wanted = 0.05 + 0.9 * ((value - low) / (high - low) if high > low else 0.5)
        places.append(wanted if not places else min(wanted, places[-1] - LEAST_GAP))
    # What was pushed below the bottom is pushed up again, the others before it.
    floor = 0.03
    for index in range(len(places) - 1, -1, -1):
        places[index] = max(places[index], floor)
        floor = places[index] + LEAST_GAP
    return places


def _name(entry: Entry) -> str:
    return legible(entry.preset, WIDEST_NAME) + ("" if entry.verdict == "passed" else " (refused)")


def _colour(entry: Entry) -> str:
    return BLUE if entry.verdict == "passed" else VERMILLION
