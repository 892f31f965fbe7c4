"""explain: which part of a key differs, the old value and the new one."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.engine.changes import changes, reasons_to_execute
from pipeline.records.run_history import RunHistory
from tests.pipeline.requests import begun

VALUES = st.one_of(st.integers(), st.text(max_size=5), st.none(), st.booleans(), st.tuples(st.integers()))
PARTS = st.dictionaries(st.sampled_from(["params", "inputs", "source"]), st.dictionaries(st.text(max_size=4), VALUES))


def plain(value):
    """As JSON gives it back."""
    return [*value] if isinstance(value, tuple) else value


@given(PARTS, PARTS)
def test_each_difference_is_listed_once(old, new):
    lines_found = changes(old, new)
    places = {(part, name) for parts in (old, new) for part in parts for name in parts[part]}
    missing = object()
    differing = [
        (part, name)
        for part, name in places
        if repr(plain(old.get(part, {}).get(name, missing))) != repr(plain(new.get(part, {}).get(name, missing)))
    ]
    assert len(lines_found) == len(differing)
    for part, name in differing:
        assert sum(line.startswith(f"{part} {name}: ") for line in lines_found) >= 1


def test_values_are_shown_and_digests_shortened():
    assert changes({"params": {"epochs": 5}}, {"params": {"epochs": 4}}) == ("params epochs: 5 -> 4",)
    assert changes({}, {"params": {"seed": 7}}) == ("params seed: none -> 7",)
    old, new = "a" * 64, "a" * 12 + "b" * 52
    assert changes({"inputs": {"model": old}}, {"inputs": {"model": new}}) == (
        "inputs model: aaaaaaaaaaaa -> aaaaaaaaaaaa",
    )


def remember(toy, made) -> None:
    """Keeps a run in the history, as the command does."""
    history = RunHistory(toy.store.root)
    record = begun(history)
    history.finish(replace(record, steps=tuple(made.values())))


def test_executed_step_lists_the_changes_since_the_last_run(toy):
    made = toy.run()
    assert made["gate"].because == ("no earlier run of mnist has made it",)
    remember(toy, made)
    made = toy.run(limit=7)
    assert made["gate"].because == ("params limit: 10 -> 7 since run 0001",)
    assert made["count"].because == ()
    remember(toy, made)
    made = toy.run(value=5, limit=7)
    assert made["count"].because == ("params value: 3 -> 5 since run 0002",)
    (line,) = made["gate"].because
    assert line.startswith("inputs number: ")


def test_runs_of_another_model_are_no_reason(toy):
    history = RunHistory(toy.store.root)
    record = begun(history, "--model", "other")
    history.finish(replace(record, steps=tuple(toy.run().values())))
    assert toy.run(limit=7)["gate"].because == ("no earlier run of mnist has made it",)


def test_deleted_artifact_is_a_reason(toy):
    made = toy.run()
    remember(toy, made)
    shutil.rmtree(toy.artifact(made["count"]))
    (line,) = toy.run()["count"].because
    assert str(made["count"].artifact) in line
    assert "gone" in line


def test_source_of_a_component_is_named(toy):
    made = toy.run()
    remember(toy, made)
    stored = toy.store.by_name(made["gate"].artifact_name)
    module = "tests.pipeline.toys.gate"
    assert module in stored.parts["source"]
    changed = {**stored.parts, "source": {**stored.parts["source"], module: "0" * 64}}
    previous = RunHistory(toy.store.root).previous("mnist", ["gate"], toy.store)
    assert reasons_to_execute(changed, previous["gate"], "mnist") == (
        f"source {module}: {stored.parts['source'][module][:12]} -> 000000000000 since run 0001",
    )


@pytest.mark.parametrize("content", ["{", "[]", "[" * 100_000])
def test_damaged_record_does_not_stop_a_run(toy, content):
    remember(toy, toy.run())
    (toy.store.root / "history" / "0002.json").write_text(content)
    assert toy.run(limit=7)["gate"].because == ("params limit: 10 -> 7 since run 0001",)
