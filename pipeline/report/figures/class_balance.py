"""Statistics -> class balance: the number of images of each class, in both splits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from components.artifacts.examples import SPLITS
from components.artifacts.statistics import Statistics
from pipeline.report.figures.style import BLUE, COLUMN_WIDTH, ORANGE, VERMILLION, new_figure
from pipeline.report.figures.text_fitting import fit_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# With more rows than this, there is no room for every name and number.
NAMED_ROWS = 100


def class_balance(statistics: Statistics) -> Figure:
    """Bars of images by class, both splits on one class axis; labels that belong to no class have rows of their own."""
    names = row_names(statistics)
    rows = min(len(names), NAMED_ROWS)
    description = f"images of each of {len(statistics.class_names):,} classes, training and test"
    figure = new_figure(2 * COLUMN_WIDTH, 1.3 + 0.17 * max(rows, 5), description)
    panels = figure.subplots(1, 2, sharey=True)
    for axes, split, title, colour in zip(panels, SPLITS, ("training", "test"), (BLUE, ORANGE), strict=True):
        counts = [statistics.splits[split].label_counts.get(label, 0) for label in names]
        _draw_split(axes, counts, len(statistics.class_names), colour)
        axes.set(title=f"{title}: {sum(counts):,} images", xlabel="images")
    step = -(-len(names) // NAMED_ROWS)
    panels[0].set_yticks(range(0, len(names), step), list(names.values())[::step], size=9 if rows <= 50 else 7)
    panels[0].set(ylabel="class", ylim=(len(names) - 0.4, -0.6))
    return figure


def row_names(statistics: Statistics) -> dict[int, str]:
    """The name of each label's row: every class, then the labels that belong to no class."""
    names = {label: fit_text(name) for label, name in enumerate(statistics.class_names)}
    found = {label for split in statistics.splits.values() for label in split.label_counts}
    return names | {label: f"label {label}: no class" for label in sorted(found - names.keys())}


def _draw_split(axes: Axes, counts: list[int], classes: int, colour: str) -> None:
    from matplotlib.ticker import MaxNLocator

    bars = axes.barh(range(len(counts)), counts, color=[colour] * classes + [VERMILLION] * (len(counts) - classes))
    if len(counts) <= NAMED_ROWS:
        axes.bar_label(bars, [f"{count:,}" for count in counts], padding=2, size=7, in_layout=False)
    axes.set_xlim(0, 1.15 * max(*counts, 1))
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True, min_n_ticks=1))
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)
