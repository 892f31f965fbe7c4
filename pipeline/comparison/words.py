"""Comparison -> what a person reads on a screen: a table, and what of it is more than chance."""

from __future__ import annotations

import io

from pipeline.comparison.comparison import Comparison, Entry, Pair, Rate
from pipeline.comparison.judge import alike

HEADINGS = ("preset", "run", "parameters", "test accuracy", "training", "scored images/s", "verdict")
NONE = "–"


def table(comparison: Comparison) -> str:
    """All entries as a table of plain text, the most accurate first, then what was not evaluated."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in HEADINGS:
        shown.add_column(heading, justify="left" if heading in ("preset", "run", "verdict") else "right")
    for entry in in_order(comparison):
        shown.add_row(*cells(entry))
    text = io.StringIO()
    # As wide as it comes: what a terminal cannot show in a line, it breaks.
    Console(file=text, width=1000, color_system=None, markup=False).print(shown)
    return "\n".join(line[1:].rstrip() for line in text.getvalue().splitlines() if line.strip())


def reasons(comparison: Comparison) -> list[str]:
    """Why some did not pass, a line each."""
    return [f"{entry.preset}: {'; '.join(entry.reasons)}" for entry in in_order(comparison) if entry.reasons]


def in_order(comparison: Comparison) -> list[Entry]:
    """The most accurate first, then those that were not evaluated, as they were asked for."""
    return [*comparison.ranked, *(entry for entry in comparison.entries if not entry.rows)]


def cells(entry: Entry) -> tuple[str, ...]:
    """One entry's line of the table."""
    how = {"refused": "refused by", "failed": "failed at"}
    return (
        entry.preset,
        entry.run or NONE,
        NONE if entry.parameters is None else f"{entry.parameters:,}",
        accuracy(entry),
        seconds(entry.training_seconds),
        rate(entry.rate),
        entry.verdict if entry.step is None else f"{how[entry.verdict]} {entry.step}",
    )


def accuracy(entry: Entry) -> str:
    """The accuracy with its interval."""
    if entry.accuracy is None or entry.interval is None:
        return NONE
    low, high = entry.interval
    return f"{entry.accuracy:.4f} ({low:.4f} to {high:.4f})"


def seconds(found: float | None) -> str:
    """A time, where there is one."""
    return NONE if found is None else f"{found:.1f} s"


def rate(found: Rate | None) -> str:
    """Images a second with the spread of the rounds, to two or three digits: more would be noise."""
    return NONE if found is None else f"{_round(found.median)} ({_round(found.low)} to {_round(found.high)})"


def _round(number: float) -> str:
    return f"{round(number, 3 - len(str(int(number)))):,.0f}"


def pair_in_words(pair: Pair) -> str:
    """One pair's arithmetic."""
    return f"{pair.gained:,} gained, {pair.lost:,} lost, adjusted p {pair.adjusted_p:.2g}"


def differences(comparison: Comparison) -> list[str]:
    """What is more than chance, a line for each that is better than others, and what cannot be told apart.

    Every pair is in it: with its figures where it differs significantly, else in a group.
    """
    names = [entry.preset for entry in comparison.ranked]
    lines = []
    for name in names:
        beaten = [pair for other in names for pair in comparison.pairs if (pair.better, pair.worse) == (name, other)]
        said = [f"{pair.worse} ({pair_in_words(pair)})" for pair in beaten if pair.significant]
        if said:
            lines.append(f"{name} is better than {', '.join(said)}")
    for group in alike(names, comparison.pairs):
        lines.append(f"not told apart: {', '.join(group)}")
    return lines


def verdict(comparison: Comparison) -> str:
    """The comparison in one sentence."""
    best = comparison.best
    if best is None:
        return f"none of {len(comparison.entries)} presets passed every gate"
    group = {best.preset} | {
        pair.worse if pair.better == best.preset else pair.better
        for pair in comparison.pairs
        if best.preset in (pair.better, pair.worse) and not pair.significant
    }
    passed = [entry.preset for entry in comparison.ranked if entry.verdict == "passed"]
    others = [name for name in passed if name in group and name != best.preset]
    said = f"{best.preset} is the most accurate that passed every gate: {accuracy(best)}"
    if others:
        return f"{said}; not told apart from it: {', '.join(others)}"
    return f"{said}, significantly better than the rest" if len(passed) > 1 else f"{said}, the only one"
