"""A toy pipeline of three steps, in a folder of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline.execute import execute
from pipeline.options import parse_run
from pipeline.outcome import Outcome
from pipeline.step import Step
from pipeline.store import Store
from tests.pipeline.toys import count, gate, publish


@dataclass(frozen=True)
class Toy:
    folder: Path

    @property
    def store(self) -> Store:
        return Store(self.folder / "runs")

    def steps(self, value: int = 3, limit: int = 10, run: str = "0001") -> tuple[Step, ...]:
        number = Step(count, count.Params(value, self.folder / "world"))
        judged = Step(gate, gate.Params(limit), number=number)
        last = Step(publish, publish.Params(self.folder / "place", run), number=number, gate=judged)
        return number, judged, last

    def run(self, value: int = 3, limit: int = 10, run: str = "0001") -> dict[str, Outcome]:
        made: dict[str, Outcome] = {}
        for step in self.steps(value, limit, run):
            made[step.name] = execute(step, made, self.store, parse_run([]))
        return made

    def artifact(self, outcome: Outcome) -> Path:
        return self.store.root / "artifacts" / str(outcome.artifact)


@pytest.fixture
def toy(tmp_path) -> Toy:
    return Toy(tmp_path)
