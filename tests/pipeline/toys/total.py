"""Number + Number -> Number: their sum."""

from __future__ import annotations

from pathlib import Path

from tests.pipeline.toys.number import Number


def run(number: Number, doubled: Number, out: Path) -> Number:
    return Number(path=out, value=number.value + doubled.value).save()
