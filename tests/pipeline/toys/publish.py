"""Number + Number -> Number: the last step, which knows when there is nothing to do."""

from __future__ import annotations

from pathlib import Path

from components.run_context import RunContext
from tests.pipeline.toys.number import Number


def up_to_date(number: Number, context: RunContext) -> str | None:
    assert context.data_dir is not None
    published = context.data_dir / "published"
    if published.exists() and published.read_text() == str(number.value):
        return f"{number.value} is published"
    return None


def run(number: Number, gate: Number, context: RunContext, out: Path) -> Number:
    assert context.data_dir is not None
    context.data_dir.mkdir(exist_ok=True)
    (context.data_dir / "published").write_text(str(number.value))
    return Number(path=out, value=number.value).save()
