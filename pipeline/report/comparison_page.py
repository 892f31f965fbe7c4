"""Comparison -> its page: the verdict first, then figures, pairs, and how all was measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.comparison.comparison import Comparison, Entry
from pipeline.comparison.words import HEADINGS, cells, differences, in_order, reasons, verdict
from pipeline.report.comparison import draw_accuracy, draw_rates, draw_training
from pipeline.report.page import render, svg, themed
from pipeline.report.style import new_figure

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Field:
    """One pair as the preset of a row sees it.

    Attributes:
        gained: images that the row's preset alone gets right.
        lost: images that the column's preset alone gets right.
        p: adjusted.
        significant: the two differ beyond chance.
    """

    gained: int
    lost: int
    p: float
    significant: bool


def comparison_page(comparison: Comparison, number: str) -> str:
    """The page as HTML that holds everything it shows; it links to the pages of the runs."""
    return render(
        "comparison.html.j2",
        number=number,
        comparison=comparison,
        verdict=verdict(comparison),
        headings=HEADINGS,
        rows=[(entry, cells(entry)) for entry in in_order(comparison)],
        reasons=reasons(comparison),
        figures=_figures(comparison.ranked),
        differences=differences(comparison),
        matrix=matrix(comparison),
    )


def matrix(comparison: Comparison) -> list[tuple[str, list[Field | None]]]:
    """Every preset that was evaluated, with its fields against all; None against itself."""
    fields: dict[tuple[str, str], Field] = {}
    for pair in comparison.pairs:
        p, significant = pair.adjusted_p, pair.significant
        fields[pair.better, pair.worse] = Field(pair.gained, pair.lost, p, significant)
        fields[pair.worse, pair.better] = Field(pair.lost, pair.gained, p, significant)
    names = [entry.preset for entry in comparison.ranked]
    return [(name, [fields.get((name, other)) for other in names]) for name in names]


def _figures(entries: Sequence[Entry]) -> list[Markup]:
    if not entries:
        return []
    height = max(2.6, 1.0 + 0.34 * len(entries))
    return [
        _figure("accuracy", "Test accuracy over the number of parameters", entries, draw_accuracy, 9.0, height + 0.6),
        _figure("training", "Seconds of training", entries, draw_training, 5.5, height),
        _figure("scoring", "Images a second", entries, draw_rates, 5.5, height),
    ]


def _figure(
    name: str,
    says: str,
    entries: Sequence[Entry],
    draw: Callable[[Axes, Sequence[Entry]], None],
    width: float,
    height: float,
) -> Markup:
    from markupsafe import Markup

    with themed():
        figure = new_figure(width, height)
        draw(figure.subplots(), entries)
        return Markup(svg(figure, name, says))
