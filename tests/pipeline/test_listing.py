"""listing: what is remembered of runs, and what differs between two of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.__main__ import main
from pipeline.history import History
from pipeline.options import parse_run
from pipeline.outcome import Outcome


@pytest.fixture
def remembered(toy, monkeypatch):
    """Two runs of the toy steps: one that passed, one with a smaller limit that was refused."""
    monkeypatch.chdir(toy.folder)
    history = History(toy.store.root)
    for arguments, verdict, made in (
        (["--seed", "7"], "promoted", toy.run()),
        (["--seed", "8", "--train.hidden", "64"], "refused", toy.run(limit=2, run="0002")),
    ):
        record = history.begin(history.next_run(), parse_run(arguments))
        steps = tuple(made.values())
        # The commands know the real steps' names.
        named = [replace(step, name="evaluate") if step.name == "gate" else step for step in steps]
        history.finish(replace(record, verdict=verdict, seconds=1.5, steps=tuple(named)))
    return toy


def lines(capsys, *arguments: str) -> list[str]:
    assert main([*arguments]) == 0
    return capsys.readouterr().out.splitlines()


def test_show_answers_first_what_a_person_asks_first(remembered, capsys):
    said = lines(capsys, "show", "2")
    assert said[0] == "run 0002: refused, mnist with mlp-128-128"
    assert "took 1.5 s" in said[1]
    assert said[2] == "why        evaluate: 3 > 2"
    assert "command    python -m pipeline run --seed 8 --train.hidden 64" in said
    shown = "\n".join(said)
    assert "because params limit: 10 -> 2" not in shown
    assert "hidden [64]" in shown
    assert "python 3." in shown


def test_show_names_the_log_and_the_pictures_that_there_are(remembered, capsys):
    assert not any(line.startswith(("log", "pictures")) for line in lines(capsys, "show", "1"))
    (remembered.store.root / "logs").mkdir()
    (remembered.store.root / "logs" / "0001.log").touch()
    (remembered.store.root / "reports" / "0001").mkdir(parents=True)
    said = lines(capsys, "show", "1")
    assert "log        runs/logs/0001.log" in said
    assert "pictures   runs/reports/0001" in said


def test_diff_tells_what_was_asked_made_from_and_come_to(remembered, capsys):
    said = lines(capsys, "diff", "1", "2")
    assert said[0] == "run 0001 -> run 0002"
    told = {'run verdict: "promoted" -> "refused"', "train seed: 7 -> 8", "train hidden: [128, 128] -> [64]"}
    assert told <= set(said)
    at = next(index for index, line in enumerate(said) if line.startswith("evaluate: "))
    assert said[at + 1] == "  params limit: 10 -> 2"
    assert said[at + 2].startswith("  was: the number")
    assert said[at + 3].startswith("  now: the number")
    assert said[-1] == "the same in both: count"


def test_diff_of_a_run_with_itself_finds_nothing(remembered, capsys):
    assert lines(capsys, "diff", "1", "1") == ["run 0001 -> run 0001", "the same in both: count, evaluate, publish"]


def test_runs_are_listed_newest_first_with_the_reason(remembered, capsys):
    said = lines(capsys, "runs")
    assert [line[:4] for line in said[1:]] == ["0002", "0001"]
    assert said[1].endswith("evaluate: 3 > 2")


def test_long_names_stay_apart_and_in_their_columns(toy, monkeypatch, capsys):
    monkeypatch.chdir(toy.folder)
    history = History(toy.store.root)
    names = ["short", "a-model-of-a-name-that-goes-on-and-on"]
    for name in names:
        record = history.begin(history.next_run(), parse_run(["--dataset", "digits", "--model", name]))
        history.finish(replace(record, verdict="passed"))
    head, *said = lines(capsys, "runs")
    assert [line.split()[3:7] for line in said] == [[name, "digits", "mlp-128-128", "passed"] for name in names[::-1]]
    for name in ("model", "data set", "preset", "verdict"):
        starts = {line[head.index(name) - 2 : head.index(name)] for line in said}
        assert starts == {"  "}


def test_run_that_found_its_model_serving_did_not_promote(toy, monkeypatch, capsys):
    monkeypatch.chdir(toy.folder)
    history = History(toy.store.root)
    for outcome in ("executed", "cached"):
        record = history.begin(history.next_run(), parse_run(["--dataset", "digits"]))
        step = Outcome("promote", outcome, passed=True, summary="digits version 1")
        history.finish(replace(record, verdict="promoted", steps=(step,)))
    _, last, first = lines(capsys, "runs")
    assert ("promoted" in first, "served already" in last) == (True, True)
