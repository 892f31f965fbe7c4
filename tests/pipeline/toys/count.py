"""-> Number: its parameter, if the world outside exists."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from components.run_context import RunContext
from tests.pipeline.toys.number import Number


@dataclass(frozen=True)
class Params:
    value: int = 3


def fingerprint(params: Params, context: RunContext) -> dict[str, str] | None:
    world = context.models / "state"
    return {"state": world.read_text()} if world.exists() else None


def prepare(params: Params, context: RunContext) -> None:
    context.models.mkdir(exist_ok=True)
    if not (context.models / "state").exists():
        (context.models / "state").write_text("new")


def run(params: Params, context: RunContext, out: Path) -> Number:
    with (context.models / "executed").open("a") as file:
        file.write("count ")
    return Number(path=out, value=params.value).save()
