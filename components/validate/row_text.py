"""Rows -> text: how many there are, and the first of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice

from components.artifacts.anomalies import Anomaly, Severity
from components.artifacts.statistics import InvalidRows

# A sentence lists this many items at most; the artifact keeps more of them.
MAX_LISTED = 5

# Split, row -> the row as text, e.g. `row 7 (cat/07.png)`.
DescribeRow = Callable[[str, int], str]


def format_first_items(items: Iterable[str], total: int) -> str:
    """The first items, and the number of the others, e.g. `a, b, c, d, e and 12 more`.

    Only the first MAX_LISTED items are consumed; `total` is the number of all.
    """
    first = list(islice(items, MAX_LISTED))
    rest = total - len(first)
    return ", ".join(first) + (f" and {rest:,} more" if rest > 0 and first else "")


def colon_list(items: Iterable[str], total: int) -> str:
    """The end of a sentence that gives a number: a colon and the first items; empty if there are none."""
    text = format_first_items(items, total)
    return f": {text}" if text else ""


def format_share(part: int, whole: int, noun: str) -> str:
    """A part of a whole, e.g. `11 of 1,000 images (1.1 %)`."""
    percent = 100 * part / max(whole, 1)
    rounded = f"{percent:.1f}" if percent >= 0.05 or not part else "under 0.1"
    return f"{part:,} of {whole:,} {noun} ({rounded} %)"


def compare_with_limit(found: float, limit: float, flag: str) -> tuple[Severity, str]:
    """An error and its explanation if the limit is exceeded; otherwise a warning without one.

    Both numbers are fractions; the flag, e.g. `max-leaked-fraction`, sets the limit.
    """
    return ("error", f", more than --validate.{flag} {limit:g} allows") if found > limit else ("warn", "")


def invalid_rows_anomaly(
    rule: str,
    split: str,
    invalid: InvalidRows,
    message: str,
    value_format: str,
    describe: DescribeRow,
    severity: Severity = "error",
) -> Anomaly:
    """The anomaly of invalid rows of one kind, with the first rows and their values, formatted by `value_format`."""
    items = (f"{describe(split, row)}{value_format.format(value)}" for row, value in invalid.named)
    rows = {split: tuple(row for row, _ in invalid.named)}
    return Anomaly(rule, split, message + colon_list(items, invalid.rows), severity, rows)
