"""A toy pipeline of three steps, in a folder of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from components.run_context import RunContext
from pipeline.engine.execute import Execution, execute
from pipeline.engine.outcome import Outcome
from pipeline.engine.step import Step
from pipeline.engine.store import Store
from pipeline.records.run_history import RunHistory
from serving.registry.registry import Registry
from tests.pipeline.requests import begun
from tests.pipeline.toys import count, gate, publish
from tests.serving.tiny_bundle import publish as publish_bundle


@dataclass(frozen=True)
class Toy:
    folder: Path

    @property
    def store(self) -> Store:
        return Store(self.folder / "runs")

    @property
    def context(self) -> RunContext:
        """The toys' outside: count reads models, publish writes data_dir, watch reads manual_dir."""
        folder = self.folder
        return RunContext(
            model="mnist", models=folder / "world", data_dir=folder / "place", manual_dir=folder / "outside"
        )

    def steps(self, value: int = 3, limit: int = 10) -> tuple[Step, ...]:
        number = Step(count, count.Params(value))
        judged = Step(gate, gate.Params(limit), number=number)
        last = Step(publish, number=number, gate=judged)
        return number, judged, last

    def run(self, value: int = 3, limit: int = 10) -> dict[str, Outcome]:
        made: dict[str, Outcome] = {}
        steps = self.steps(value, limit)
        previous = RunHistory(self.store.root).previous("mnist", [step.name for step in steps], self.store)
        for step in steps:
            made[step.name] = execute(step, made, self.store, Execution(self.context, previous=previous))
        return made

    def artifact(self, outcome: Outcome) -> Path:
        return self.store.artifact_folder(outcome.artifact_name)


@pytest.fixture
def toy(tmp_path) -> Toy:
    return Toy(tmp_path)


@pytest.fixture
def healthy_project(toy, made, monkeypatch) -> Toy:
    """The working directory, with a store, a history, a registry and a prepared data set; without a network."""
    monkeypatch.chdir(toy.folder)
    unreachable = "components.ingest.tfds.tfds_source.unreachable_reason"
    monkeypatch.setattr(unreachable, lambda url: "cannot be reached (no network)")
    monkeypatch.setenv("TFDS_DATA_DIR", str(toy.folder / "tfds"))
    toy.run()
    history = RunHistory(toy.store.root)
    begun(history)
    publish_bundle(Registry(toy.folder / "models"), made.bundle.opened(), "tiny", "0001")
    return toy
