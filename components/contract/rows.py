"""Rows -> words: how many there are, and the first of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice

from components.artifacts.anomalies import Anomaly, Severity
from components.artifacts.odd import Odd

# So many are named in a sentence; the artifact names more.
IN_A_SENTENCE = 5

# Split, row -> the row for a sentence, e.g. `row 7 (cat/07.png)`.
Describe = Callable[[str, int], str]


def several(words: Iterable[str], total: int) -> str:
    """The first words, and how many more there are.

    Args:
        words: one a thing; no more are asked for than a sentence takes.
        total: how many things there are.
    """
    first = list(islice(words, IN_A_SENTENCE))
    rest = total - len(first)
    return ", ".join(first) + (f" and {rest:,} more" if rest > 0 and first else "")


def named(words: Iterable[str], total: int) -> str:
    """What follows a sentence that says how many: a colon and the first of them; nothing where none is named."""
    said = several(words, total)
    return f": {said}" if said else ""


def share(part: int, whole: int, what: str) -> str:
    """A part of a whole, e.g. `11 of 1,000 images (1.1 %)`."""
    percent = 100 * part / max(whole, 1)
    said = f"{percent:.1f}" if percent >= 0.05 or not part else "under 0.1"
    return f"{part:,} of {whole:,} {what} ({said} %)"


def beyond(found: float, limit: float, flag: str) -> tuple[Severity, str]:
    """An error and its words where a limit is missed, else a warning that needs none.

    Args:
        found: what is held against the limit.
        limit: what may be.
        flag: what sets it, e.g. `max-leaked-fraction`.
    """
    return ("error", f", more than --validate.{flag} {limit:g} allows") if found > limit else ("warn", "")


def odd_rows(rule: str, split: str, odd: Odd, said: str, each: str, describe: Describe) -> Anomaly:
    """The error that rows of one kind are.

    Args:
        rule: its name.
        split: where.
        odd: the rows.
        said: how many, and what they are.
        each: what a row's value is, to be formatted.
        describe: a row in words.
    """
    words = (f"{describe(split, row)}{each.format(value)}" for row, value in odd.named)
    rows = {split: tuple(row for row, _ in odd.named)}
    return Anomaly(rule, split, said + named(words, odd.rows), "error", rows)
