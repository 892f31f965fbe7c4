"""Number -> Number: twice as large; 21 cannot be doubled."""

from __future__ import annotations

from pathlib import Path

from tests.pipeline.toys.number import Number


def run(number: Number, out: Path) -> Number:
    if number.value == 21:
        raise ValueError("too large")
    return Number(path=out, value=2 * number.value).save()
