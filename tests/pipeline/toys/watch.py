"""Number -> Number: the difference to a number outside; the fingerprint names it only if the two differ."""

from __future__ import annotations

from pathlib import Path

from components.run_context import RunContext
from tests.pipeline.toys.number import Number


def fingerprint(number: Number, context: RunContext) -> dict[str, str]:
    outside = context.manual_dir.read_text() if context.manual_dir.exists() else str(number.value)
    return {} if outside == str(number.value) else {"outside": outside}


def run(number: Number, context: RunContext, out: Path) -> Number:
    outside = fingerprint(number, context).get("outside", number.value)
    return Number(path=out, value=int(outside) - number.value).save()
