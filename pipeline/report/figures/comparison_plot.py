"""Comparison -> three panels: accuracy over parameters, time of training, and scoring rate."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.comparison.comparison import Comparison, Entry
from pipeline.report.figures.style import BLUE, GREY, VERMILLION, drawing, new_figure, to_png
from pipeline.report.figures.text_fitting import fit_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Between the names of two presets, as a fraction of a panel's height.
MIN_GAP = 0.075
# In ems.
MAX_NAME_WIDTH = 11.0


def write_comparison(comparison: Comparison, file: Path) -> None:
    """Writes the figure as PNG."""
    with drawing():
        file.write_bytes(to_png(comparison_figure(comparison)))


def comparison_figure(comparison: Comparison) -> Figure:
    """Three panels side by side with every preset that was evaluated; the last two share the order."""
    entries = comparison.ranked
    figure = new_figure(13, max(3.4, 1.4 + 0.38 * len(entries)))
    figure.set_layout_engine("constrained", w_pad=0.12)
    points, training, scoring = figure.subplots(1, 3, width_ratios=(5, 3, 3))
    draw_accuracy(points, entries)
    draw_training(training, entries)
    draw_rates(scoring, entries)
    return figure


def draw_accuracy(axes: Axes, entries: Sequence[Entry]) -> None:
    """Accuracy with its interval or range over the number of parameters; a line joins each point with its name."""
    for entry, place in zip(entries, _places(entries), strict=True):
        assert entry.accuracy is not None
        assert entry.reach is not None
        low, high = entry.reach
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
    several = any(len(entry.accuracies) > 1 for entry in entries)
    title = "Test accuracy, mean and range over seeds" if several else "Test accuracy, 95 % interval"
    axes.set(xscale="log", xlabel="parameters", ylabel="accuracy (fraction)", title=title)
    axes.margins(x=0.1, y=0.08)
    _write_plain_numbers(axes)


def draw_training(axes: Axes, entries: Sequence[Entry]) -> None:
    """The time of the step train."""
    _bars(axes, entries, [entry.training_seconds for entry in entries], "{:.1f} s")
    axes.set(xlabel="seconds", title="Training")


def draw_rates(axes: Axes, entries: Sequence[Entry]) -> None:
    """Images per second: the median of the rounds, and the range of 8 of 10 rounds."""
    rates = [entry.rate for entry in entries]
    _bars(axes, entries, [None if rate is None else rate.median / 1000 for rate in rates], "{:,.0f}")
    for row, rate in enumerate(rates):
        if rate is not None:
            spread = [[(rate.median - rate.low) / 1000], [(rate.high - rate.median) / 1000]]
            axes.errorbar(rate.median / 1000, row, xerr=spread, color=GREY, capsize=3)
    axes.set(xlabel="thousand images a second", title="Scoring")


def _bars(axes: Axes, entries: Sequence[Entry], values: Sequence[float | None], form: str) -> None:
    """A bar for each preset, the best on top; its value is right of the axes, so that no bar reaches it."""
    names = [fit_text(entry.preset, MAX_NAME_WIDTH) for entry in entries]
    axes.barh(range(len(entries)), [value or 0.0 for value in values], color=[_colour(e) for e in entries], height=0.6)
    axes.set_yticks(range(len(entries)), names)
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    for row, value in enumerate(values):
        text, place = "–" if value is None else form.format(value), (1.02, row)
        axes.annotate(text, place, xycoords=("axes fraction", "data"), va="center", annotation_clip=False)


def _write_plain_numbers(axes: Axes) -> None:
    """Ticks as plain numbers: matplotlib writes powers of ten as formulas."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    low, high = axes.get_xlim()
    subs = (1.0,) if high > 300 * low else (1.0, 3.0) if high > 6 * low else (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)
    axes.xaxis.set_major_locator(LogLocator(subs=subs))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))


def _places(entries: Sequence[Entry]) -> list[float]:
    """The heights of the names, fractions of the axes: in the order of the accuracies, without overlaps."""
    reached = [entry.accuracy or 0.0 for entry in entries]
    low, high = min(reached, default=0.0), max(reached, default=1.0)
    places: list[float] = []
    for value in reached:
        wanted = 0.05 + 0.9 * ((value - low) / (high - low) if high > low else 0.5)
        places.append(wanted if not places else min(wanted, places[-1] - MIN_GAP))
    # Names that were pushed below the bottom are pushed up again, and the others before them.
    floor = 0.03
    for index in range(len(places) - 1, -1, -1):
        places[index] = max(places[index], floor)
        floor = places[index] + MIN_GAP
    return places


def _name(entry: Entry) -> str:
    return fit_text(entry.preset, MAX_NAME_WIDTH) + ("" if entry.verdict == "passed" else " (refused)")


def _colour(entry: Entry) -> str:
    return BLUE if entry.verdict == "passed" else VERMILLION
