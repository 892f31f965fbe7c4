"""Number -> Number: refuses what is over the limit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.pipeline.toys.number import Number


@dataclass(frozen=True)
class Params:
    limit: int = 10


def run(number: Number, params: Params, out: Path) -> Number:
    if number.value < 0:
        raise ValueError("negative")
    passed = number.value <= params.limit
    reason = f"{number.value} {'≤' if passed else '>'} {params.limit}"
    return Number(path=out, value=number.value % 2, passed=passed, reasons=(reason,)).save()
