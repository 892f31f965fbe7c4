"""Comparison -> runs/comparisons/<number>: JSON, page and figure, and the summary on the screen."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pipeline.comparison.comparison import Comparison, Entry, reserve_file
from pipeline.comparison.wording import (
    describe_differences,
    describe_failures,
    describe_verdict,
    format_table,
    headings,
    ordered_entries,
    table_row,
)
from pipeline.report.attempt import attempt
from pipeline.report.figures.comparison_plot import draw_accuracy, draw_rates, draw_training, write_comparison
from pipeline.report.figures.style import drawing, new_figure, single_axes, to_svg
from pipeline.report.pages import renew_index
from pipeline.report.rendering import render
from serving.interrupts import defer_interrupts

log = logging.getLogger("beamline.compare")


@dataclass(frozen=True)
class MatrixField:
    """One pair of presets, seen from the preset of the row.

    Attributes:
        difference: the images that only the row's preset predicts correctly and those that only the column's does; with
            several seeds the difference of the mean accuracies.
        p: the adjusted p-value.
        judgement: `better` or `worse` if the difference is significant, else empty.
    """

    difference: str
    p: float
    judgement: str


def report_comparison(comparison: Comparison, runs: Path) -> Path:
    """Saves a comparison, draws its page and figure, and logs the summary. Returns: the JSON file."""
    with defer_interrupts():
        file = reserve_file(runs)
        comparison.save(file)
    drawn = _draw(comparison, file)
    renew_index(runs)
    event = {"event": "comparison", "file": str(file), "exit_code": comparison.exit_code, **asdict(comparison)}
    ending = [describe_verdict(comparison), f"saved in {' '.join(map(str, [file, *drawn]))}"]
    parts = [
        [comparison.scope],
        [format_table(comparison)],
        describe_failures(comparison),
        describe_differences(comparison),
        ending,
    ]
    summary = "\n\n".join("\n".join(part) for part in parts if part)
    log.log(logging.WARNING if comparison.exit_code else logging.INFO, "\n%s", summary, extra={"event": event})
    return file


def _draw(comparison: Comparison, file: Path) -> list[Path]:
    """Writes figure and page beside the JSON file, and returns those that exist; an error here is only logged."""
    figure, page = file.with_suffix(".png"), file.with_suffix(".html")

    def draw() -> None:
        if comparison.ranked:
            write_comparison(comparison, figure)
        page.write_text(comparison_page(comparison, file.stem), encoding="utf-8")

    attempt(f"the figures of comparison {file.stem} were not drawn", draw, log.warning)
    return [path for path in (figure, page) if path.exists()]


def comparison_page(comparison: Comparison, number: str) -> str:
    """The page as self-contained HTML, with links to the cards of the runs."""
    return render(
        "comparison.html.j2",
        number=number,
        comparison=comparison,
        verdict=describe_verdict(comparison),
        headings=headings(comparison),
        rows=[(entry, table_row(entry)) for entry in ordered_entries(comparison)],
        reasons=describe_failures(comparison),
        figures=_figures(comparison.ranked),
        differences=describe_differences(comparison),
        matrix=matrix(comparison),
    )


def matrix(comparison: Comparison) -> list[tuple[str, list[MatrixField | None]]]:
    """Every preset that was evaluated, with one field per preset; None for itself."""
    fields: dict[tuple[str, str], MatrixField] = {}
    for pair in comparison.pairs:
        if pair.difference is None:
            forwards, back = f"{pair.gained:,} : {pair.lost:,}", f"{pair.lost:,} : {pair.gained:,}"
        else:
            forwards, back = f"{pair.difference:+.4f}", f"{-pair.difference:+.4f}"
        for one, other, difference, judgement in (
            (pair.better, pair.worse, forwards, "better"),
            (pair.worse, pair.better, back, "worse"),
        ):
            fields[one, other] = MatrixField(difference, pair.adjusted_p, judgement if pair.significant else "")
    names = [entry.preset for entry in comparison.ranked]
    return [(name, [fields.get((name, other)) for other in names]) for name in names]


def _figures(entries: Sequence[Entry]) -> list[str]:
    if not entries:
        return []
    height = max(2.6, 1.0 + 0.34 * len(entries))
    figures = []
    with drawing():
        for name, description, draw, width, tall in (
            ("accuracy", "Test accuracy over the number of parameters", draw_accuracy, 9.0, height + 0.6),
            ("training", "Seconds of training", draw_training, 5.5, height),
            ("scoring", "Images per second", draw_rates, 5.5, height),
        ):
            figure = new_figure(width, tall, description)
            draw(single_axes(figure), entries)
            figures.append(to_svg(figure, name))
    return figures
