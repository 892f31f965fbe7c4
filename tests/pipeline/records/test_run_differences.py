"""run_differences: why a step differs, also if the reason is in an inner step."""

from __future__ import annotations

from dataclasses import replace

from pipeline.engine.execute import Execution, execute
from pipeline.records.run_differences import differences
from pipeline.records.run_history import RunHistory
from tests.pipeline.engine.test_inner_steps import steps_of
from tests.pipeline.requests import begun


def test_changes_of_inner_steps_are_listed_under_their_step(toy):
    history = RunHistory(toy.store.root)
    records = []
    for value in (3, 4):
        made = {}
        for step in steps_of(value=value):
            made[step.name] = execute(step, made, toy.store, Execution(toy.context))
        records.append(replace(begun(history), steps=tuple(made.values())))
    found = differences(*records, toy.store)
    at = found.index(next(line for line in found if line.startswith("gate: ")))
    own, inner = found[at + 1 : at + 3]
    assert own.startswith("  inputs number: ")
    assert inner.startswith("  double: inputs number: ")
    assert own.removeprefix("  ") != inner.removeprefix("  double: ")
    assert found[at + 3].startswith("  was: ")
