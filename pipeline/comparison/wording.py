"""Comparison -> text for the screen and the page: a table, the significant differences, and the verdict."""

from __future__ import annotations

import io

from pipeline.comparison.comparison import Comparison, Entry, PairTest, Rate
from pipeline.comparison.pair_tests import groups_without_difference

HEADINGS = ("preset", "run", "parameters", "test accuracy", "training", "scored images/s", "verdict")
SEED_HEADING = "mean of seeds ± deviation (range)"
NONE = "–"


def format_table(comparison: Comparison) -> str:
    """All entries as a table in plain text, in the order of `ordered_entries`."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings(comparison):
        table.add_column(heading, justify="left" if heading in ("preset", "run", "verdict") else "right")
    for entry in ordered_entries(comparison):
        table.add_row(*table_row(entry))
    text = io.StringIO()
    # Wide enough for every row; a narrow terminal wraps the lines. The first column is the border, a space.
    Console(file=text, width=1000, color_system=None, markup=False).print(table)
    return "\n".join(line[1:].rstrip() for line in text.getvalue().splitlines() if line.strip())


def headings(comparison: Comparison) -> tuple[str, ...]:
    """The headings of the table's columns."""
    return tuple(SEED_HEADING if name == "test accuracy" and comparison.seeds > 1 else name for name in HEADINGS)


def describe_failures(comparison: Comparison) -> list[str]:
    """The reasons of the entries that did not pass, one line each."""
    return [f"{entry.preset}: {'; '.join(entry.reasons)}" for entry in ordered_entries(comparison) if entry.reasons]


def ordered_entries(comparison: Comparison) -> list[Entry]:
    """The evaluated entries, the most accurate first, then the others in the order given."""
    return [*comparison.ranked, *(entry for entry in comparison.entries if not entry.rows)]


def table_row(entry: Entry) -> tuple[str, ...]:
    """The cells of one entry, one for each of `HEADINGS`."""
    stopped = {"refused": "refused by", "failed": "failed at"}
    return (
        entry.preset,
        entry.run or NONE,
        NONE if entry.parameters is None else f"{entry.parameters:,}",
        format_accuracy(entry),
        format_seconds(entry.training_seconds),
        format_rate(entry.rate),
        entry.verdict if entry.step is None else f"{stopped[entry.verdict]} {entry.step}",
    )


def format_accuracy(entry: Entry) -> str:
    """The accuracy with its interval; with several seeds their mean, deviation and range."""
    if entry.accuracy is None or entry.reach is None:
        return NONE
    low, high = entry.reach
    deviation = "" if entry.deviation is None else f" ± {entry.deviation:.4f}"
    return f"{entry.accuracy:.4f}{deviation} ({low:.4f} to {high:.4f})"


def format_seconds(seconds: float | None) -> str:
    """A duration, or a dash."""
    return NONE if seconds is None else f"{seconds:.1f} s"


def format_rate(rate: Rate | None) -> str:
    """Images per second: the median, and the 10th to 90th percentile of the rounds, to three significant digits."""
    return NONE if rate is None else f"{_round(rate.median)} ({_round(rate.low)} to {_round(rate.high)})"


def _round(number: float) -> str:
    return f"{round(number, 3 - len(str(int(number)))):,.0f}"


def format_pair(pair: PairTest) -> str:
    """The counts of one pair, or with several seeds the difference, and the p-value."""
    if pair.difference is not None and pair.interval is not None:
        low, high = pair.interval
        return f"{pair.difference:+.4f}, 95 % interval {low:+.4f} to {high:+.4f}, adjusted p {pair.adjusted_p:.2g}"
    return f"{pair.gained:,} gained, {pair.lost:,} lost, adjusted p {pair.adjusted_p:.2g}"


def describe_differences(comparison: Comparison) -> list[str]:
    """One line for each preset that is significantly better than others, and one for each group without a difference.

    Every pair of presets is in one of the lines.
    """
    names = [entry.preset for entry in comparison.ranked]
    lines = []
    for name in names:
        worse = [pair for other in names for pair in comparison.pairs if (pair.better, pair.worse) == (name, other)]
        differences = [f"{pair.worse} ({format_pair(pair)})" for pair in worse if pair.significant]
        if differences:
            lines.append(f"{name} is significantly better than {', '.join(differences)}")
    for group in groups_without_difference(names, comparison.pairs):
        lines.append(f"no significant difference between {' and '.join([', '.join(group[:-1]), group[-1]])}")
    return lines


def describe_verdict(comparison: Comparison) -> str:
    """The comparison in one sentence."""
    best = comparison.best
    if best is None:
        return f"none of {len(comparison.entries)} presets passed every gate"
    equals = {
        pair.worse if pair.better == best.preset else pair.better
        for pair in comparison.pairs
        if best.preset in (pair.better, pair.worse) and not pair.significant
    }
    passed = [entry.preset for entry in comparison.ranked if entry.verdict == "passed"]
    others = [name for name in passed if name in equals]
    verdict = f"{best.preset} is the most accurate preset that passed every gate: {format_accuracy(best)}"
    if others:
        return f"{verdict}; not significantly better than {', '.join(others)}"
    if len(passed) > 1:
        return f"{verdict}, significantly better than the others that passed"
    return f"{verdict}, the only one that passed"
