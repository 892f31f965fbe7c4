"""Inner steps: what a step's parameters do not change is made once; its outcomes are those of the step."""

from __future__ import annotations

import functools
import shutil
from dataclasses import replace

import pytest

from pipeline.engine.execute import Execution, execute, resolve
from pipeline.engine.plan import complete, plan
from pipeline.engine.step import InnerStep, Step
from pipeline.records.run_history import RunHistory
from tests.pipeline.requests import begun
from tests.pipeline.toys import count, double, gate


def steps_of(value=3, limit=10):
    """A number; and a limit on four times the number, with two inner steps, one in the other."""
    number = Step(count, count.Params(value))
    return number, Step(gate, gate.Params(limit), number=InnerStep(double, number=number))


@pytest.fixture
def run(toy):
    """Parameters -> the outcomes of the steps."""

    def run(execution=None, **params):
        execution = execution or Execution(toy.context)
        made = {}
        for step in steps_of(**params):
            made[step.name] = execute(step, made, toy.store, execution)
        return made

    return run


@pytest.fixture
def calls(monkeypatch):
    """The values that `double` was called with."""
    calls = []
    real = double.run

    @functools.wraps(real)
    def spy(number, out):
        calls.append(number.value)
        return real(number, out)

    monkeypatch.setattr(double, "run", spy)
    return calls


def test_step_has_the_outcome_and_names_the_artifact_of_the_inner_step(run, toy, calls):
    made = run()
    assert [(outcome.name, outcome.outcome) for outcome in made.values()] == [
        ("count", "executed"),
        ("gate", "executed"),
    ]
    assert made["gate"].reasons == ("6 ≤ 10",)
    (inner,) = made["gate"].inner
    assert inner.startswith("double-")
    assert toy.store.artifact_folder(inner).is_dir()
    assert calls == [3]


def test_other_parameters_do_not_repeat_the_inner_step(run, calls):
    first, second = run(), run(limit=5)
    assert second["gate"].outcome == "executed"
    assert second["gate"].reasons == ("6 > 5",)
    assert second["gate"].inner == first["gate"].inner
    assert calls == [3]
    run(value=4)
    assert calls == [3, 4]


def test_cached_step_names_the_artifact_of_the_inner_step_too(run, toy, calls):
    made = run()
    again = plan(steps_of(), toy.store, toy.context)
    assert {name: outcome.outcome for name, outcome in again.items()} == {"count": "cached", "gate": "cached"}
    assert again["gate"].inner == made["gate"].inner
    assert calls == [3]


def test_failure_of_the_inner_step_is_that_of_the_step(run, toy):
    made = run(value=21)
    assert made["gate"].outcome == "failed"
    assert made["gate"].name == "gate"
    assert made["gate"].reasons == ("ValueError: too large",)
    assert made["gate"].exit_code == 1
    assert not list(toy.store.root.glob("artifacts/gate-*"))


def test_inner_step_does_not_run_if_the_step_is_refused(run, toy, calls):
    number, judged = steps_of(value=30)
    made = {number.name: replace(run(value=30)["count"], passed=False, reasons=("odd",))}
    calls.clear()
    refused = execute(judged, made, toy.store, Execution(toy.context))
    assert (refused.outcome, refused.reasons) == ("refused", ("refused by count: odd",))
    failed = {number.name: replace(made["count"], outcome="failed")}
    assert execute(judged, failed, toy.store, Execution(toy.context)).outcome == "skipped"
    assert calls == []


def test_output_of_the_inner_step_that_is_gone_is_made_again(run, toy, calls):
    made = run()
    shutil.rmtree(toy.store.artifact_folder(made["gate"].inner[0]))
    assert resolve(steps_of()[1], made, toy.store, toy.context) is None
    again = run()
    assert again["gate"].outcome == "cached"
    assert again["gate"].inner == made["gate"].inner
    assert calls == [3, 3]


def test_output_of_the_inner_step_that_was_changed_is_not_used(run, toy):
    made = run()
    file = toy.store.payload(made["gate"].inner[0]) / "number.json"
    file.write_text(file.read_text().replace("6", "7"))
    refused = run(limit=9)
    assert refused["gate"].outcome == "refused"
    assert "the output of double was changed after it was stored" in refused["gate"].reasons[0]


def test_force_repeats_each_inner_step_once(toy, calls):
    number = Step(count, count.Params(3))
    first = InnerStep(double, number=number)
    # The output of an inner step, taken by two steps and by an inner step of the second one.
    steps = (number, Step(gate, gate.Params(10), number=first))
    made = {}
    for _ in range(2):
        for step in steps:
            made[step.name] = execute(step, made, toy.store, Execution(toy.context, force=True))
    assert calls == [3, 3]
    assert made["gate"].because == ("--force",)
    nested = Step(gate, gate.Params(20), number=InnerStep(gate, gate.Params(30), number=first))
    forced = execute(nested, {"count": made["count"]}, toy.store, Execution(toy.context, force=True))
    assert forced.outcome == "executed"
    assert calls == [3, 3]


def test_reasons_of_the_inner_step_are_those_of_the_step(run, toy):
    first = run()
    history = RunHistory(toy.store.root)
    record = begun(history)
    history.finish(replace(record, steps=tuple(first.values())))
    assert set(first["gate"].inner) < set(history.records()[-1].artifacts)
    previous = history.previous("mnist", ["count", "gate", "double"], toy.store)
    assert previous.keys() == {"count", "gate", "double"}
    changed = run(Execution(toy.context, previous=previous), value=4)["gate"].because
    assert [reason.split(":")[0] for reason in changed] == ["inputs number", "inputs number"]


def test_library_of_an_inner_step_that_is_cached_is_not_imported(run, toy, monkeypatch):
    asked = []

    def need(steps):
        asked.append([step.name for step in steps])
        return False

    monkeypatch.setattr("pipeline.engine.plan.need_tensorflow", need)
    made = run()
    for given, limit, force in (
        ({}, 5, False),
        ({"count": made["count"]}, 6, False),
        ({"count": made["count"]}, 7, True),
    ):
        complete(steps_of(limit=limit), given, toy.store, Execution(toy.context, force=force))
    assert asked == [["count", "gate", "double"], ["gate"], ["gate", "double"]]
