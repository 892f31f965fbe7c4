"""-> Number: the one it is told, from a world that may not be there yet."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.pipeline.toys.number import Number


@dataclass(frozen=True)
class Params:
    value: int = 3
    world: Path = Path("world")


def fingerprint(params: Params) -> dict[str, str] | None:
    world = params.world / "state"
    return {"state": world.read_text()} if world.exists() else None


def prepare(params: Params) -> None:
    params.world.mkdir(exist_ok=True)
    if not (params.world / "state").exists():
        (params.world / "state").write_text("new")


def run(params: Params, out: Path) -> Number:
    with (params.world / "executed").open("a") as file:
        file.write("count ")
    return Number(path=out, value=params.value).save()
