"""Two runs of the toy steps, and the lines that a command prints."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.__main__ import main
from pipeline.records.run_history import RunHistory
from tests.pipeline.commands.logged_runs import add_run
from tests.pipeline.requests import begun


@pytest.fixture
def two_runs(toy, monkeypatch):
    """Two runs of the toy steps: one that passed, one with a smaller limit that was refused."""
    monkeypatch.chdir(toy.folder)
    history = RunHistory(toy.store.root)
    for arguments, verdict, made in (
        (["--seed", "7"], "promoted", toy.run()),
        (["--seed", "8", "--train.hidden", "64"], "refused", toy.run(limit=2)),
    ):
        record = begun(history, *arguments)
        steps = tuple(made.values())
        # The commands know the real steps' names.
        named = [replace(step, name="evaluate") if step.name == "gate" else step for step in steps]
        history.finish(replace(record, verdict=verdict, seconds=1.5, steps=tuple(named)))
    return toy


@pytest.fixture
def lines(capsys):
    def run(*arguments: str) -> list[str]:
        assert main([*arguments]) == 0
        return capsys.readouterr().out.splitlines()

    return run


@pytest.fixture
def three(toy, monkeypatch):
    """Three runs with different limits: each has its own artifact of gate, and all share that of count."""
    monkeypatch.chdir(toy.folder)
    for limit in (10, 11, 12):
        add_run(toy, toy.run(limit=limit))
    return toy
