"""runs: all runs, newest first."""

from __future__ import annotations

from dataclasses import replace

from pipeline.engine.outcome import Outcome
from pipeline.records.run_history import RunHistory
from tests.pipeline.requests import begun


def test_runs_are_listed_newest_first_with_the_reason(two_runs, lines):
    text = lines("runs")
    assert [line[:4] for line in text[1:]] == ["0002", "0001"]
    assert text[1].endswith("evaluate: 3 > 2")


def test_long_names_keep_their_columns(toy, monkeypatch, lines):
    monkeypatch.chdir(toy.folder)
    history = RunHistory(toy.store.root)
    names = ["short", "a-model-of-a-name-that-goes-on-and-on"]
    for name in names:
        record = begun(history, "--dataset", "digits", "--model", name)
        history.finish(replace(record, verdict="passed"))
    head, *text = lines("runs")
    assert [line.split()[3:7] for line in text] == [[name, "digits", "mlp-128-128", "passed"] for name in names[::-1]]
    for name in ("model", "data set", "preset", "verdict"):
        starts = {line[head.index(name) - 2 : head.index(name)] for line in text}
        assert starts == {"  "}


def test_run_whose_model_served_already_is_marked(toy, monkeypatch, lines):
    monkeypatch.chdir(toy.folder)
    history = RunHistory(toy.store.root)
    for outcome in ("executed", "cached"):
        record = begun(history, "--dataset", "digits")
        step = Outcome("promote", outcome, passed=True, summary="digits version 1")
        history.finish(replace(record, verdict="promoted", steps=(step,)))
    _, last, first = lines("runs")
    assert ("promoted" in first, "served already" in last) == (True, True)
