"""run: however it is stopped, its record says so."""

from __future__ import annotations

import errno
import json
import os
import signal

import pytest

from pipeline.commands import run
from pipeline.engine.outcome import Outcome
from pipeline.records import run_history as history
from serving.interrupts import Terminated

STOPS = [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)]


@pytest.fixture
def verdict(tmp_path, handled_signals):
    """Runs, until the run is stopped; what the record says then."""

    def verdict(kind):
        folders = [f"--{name}={tmp_path / name}" for name in ("runs", "models", "data-dir")]
        with pytest.raises(kind):
            run.run(["--dataset", "digits", *folders])
        (record,) = (tmp_path / "runs" / "history").iterdir()
        return json.loads(record.read_text())["verdict"]

    return verdict


@pytest.mark.parametrize(("number", "kind"), STOPS)
def test_stop_while_the_record_is_opened_is_recorded(verdict, monkeypatch, number, kind):
    def link(source, target, really=os.link):
        signal.raise_signal(number)
        really(source, target)
        signal.raise_signal(number)

    monkeypatch.setattr(history.os, "link", link)
    assert verdict(kind) == "interrupted"


@pytest.mark.parametrize(("number", "kind"), STOPS)
def test_stop_between_two_steps_is_recorded(verdict, monkeypatch, number, kind):
    monkeypatch.setattr(run, "complete", lambda *given: signal.raise_signal(number))
    assert verdict(kind) == "interrupted"


@pytest.mark.parametrize(("number", "kind"), STOPS)
def test_stop_while_the_record_is_closed_leaves_it_closed(verdict, monkeypatch, number, kind):
    def replace_json(path, value, really=history.replace_json):
        if value["verdict"] != "running":
            signal.raise_signal(number)
        really(path, value)

    failed = Outcome("ingest", "failed", reasons=("no",), exit_code=1)
    monkeypatch.setattr(run, "complete", lambda *given: {"ingest": failed})
    monkeypatch.setattr(history, "replace_json", replace_json)
    assert verdict(kind) == "failed"


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (Outcome("ingest", "failed", reasons=("the disk of --runs is full",), exit_code=1), 1),
        (Outcome("ingest", "executed", passed=False, reasons=("too few",)), 3),
        (Outcome("ingest", "executed", passed=True), 1),
    ],
)
def test_record_that_cannot_be_completed_does_not_hide_how_the_run_ended(tmp_path, monkeypatch, capfd, outcome, code):
    def replace_json(path, value, really=history.replace_json):
        if value["verdict"] != "running":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        really(path, value)

    monkeypatch.setattr(run, "complete", lambda *given: {"ingest": outcome})
    monkeypatch.setattr(run, "print_summary", lambda config, name, outcomes, *more: print("ended:", outcomes))
    monkeypatch.setattr(history, "replace_json", replace_json)
    monkeypatch.setattr("pipeline.screen.summary._passed", lambda *given: "passed")
    folders = [f"--{name}={tmp_path / name}" for name in ("runs", "models", "data-dir")]
    assert run.run(["--dataset", "digits", *folders]) == code
    printed = capfd.readouterr()
    assert "the record of run 0001 could not be completed" in printed.out
    assert " is full (No space left on device: " in printed.out
    assert "ended:" in printed.out
    assert "Traceback" not in printed.out + printed.err
