"""The command line: commands that there are, mistakes in one sentence, the right exit codes."""

from __future__ import annotations

import errno
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.__main__ import COMMANDS, main
from pipeline.records.run_history import RunHistory
from tests.conftest import ROOT
from tests.pipeline.requests import begun


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_without_a_command_the_usage_is_shown(capsys):
    assert main([]) == 2
    assert main(["--help"]) == 0
    text = capsys.readouterr()
    for command in COMMANDS:
        assert command in text.out


def test_runs_and_show_print_the_history(tmp_path, capsys):
    history = RunHistory(tmp_path / "runs")
    begun(history, "--seed", "42")
    assert main(["runs"]) == 0
    listed = capsys.readouterr().out
    assert "0001" in listed
    assert "mlp-128-128" in listed
    assert main(["show", "1"]) == 0
    shown = capsys.readouterr().out
    assert "run 0001: killed" in shown
    assert "seed 42" in shown


def test_interrupted_command_has_its_exit_code(monkeypatch, capsys):
    def interrupt(rest):
        raise KeyboardInterrupt

    monkeypatch.setattr("pipeline.commands.run.run", interrupt)
    assert main(["run"]) == 130
    assert capsys.readouterr().err == "run: interrupted\n"


def test_too_little_memory_is_reported(monkeypatch, capsys):
    def allocate(rest):
        raise MemoryError("Unable to allocate 3 TiB")

    monkeypatch.setattr("pipeline.commands.run.run", allocate)
    assert main(["run"]) == 1
    advice = "end other programs, or ask for less, then run again"
    assert capsys.readouterr().err == f"run: there is not enough memory (Cannot allocate memory): {advice}\n"


@pytest.mark.parametrize(("library", "named"), [("tyro", True), ("tensorflow.keras", True), ("pipeline.runn", False)])
def test_missing_library_of_the_extra_is_named(monkeypatch, capsys, library, named):
    def missing(rest):
        raise ModuleNotFoundError(f"No module named {library!r}", name=library)

    monkeypatch.setattr("pipeline.commands.run.run", missing)
    if named:
        assert main(["run"]) == 1
        assert f"run: {library.split('.')[0]} is not installed: pip install '.[pipeline]'" in capsys.readouterr().err
    else:
        with pytest.raises(ModuleNotFoundError):
            main(["run"])


FULL = "No space left on device"
COPIES = [("runs/a", "models/tiny/.incoming-1/a", f"[Errno 28] {FULL}: 'runs/a' -> 'models/tiny/.incoming-1/a'")]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OSError(errno.ENOSPC, FULL, "elsewhere/runs/a"), f"the disk of --runs elsewhere/runs is full ({FULL}: "),
        (shutil.Error(COPIES), f"the disk of --models models is full ({FULL}: "),
        (OSError(errno.ENOSPC, FULL, "out/.best"), f"the disk of --out out/best.json is full ({FULL}: "),
        (sqlite3.OperationalError("database or disk is full"), f" is full ({FULL}: "),
        (OSError(errno.EIO, "Input/output error", "models/a"), "models/a cannot be read or written (Input/output "),
        (OSError(errno.EROFS, "Read-only file system", "a"), "a cannot be read or written (Read-only file system): "),
        (OSError("something of a library"), "something of a library"),
    ],
    ids=repr,
)  # fmt: skip
def test_failure_of_the_machine_is_one_sentence(monkeypatch, capsys, error, sentence):
    def fail(rest):
        raise error

    monkeypatch.setattr("pipeline.commands.tune.tune", fail)
    assert main(["tune", "--runs", "elsewhere/runs", "--out=out/best.json"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("tune: ")
    assert sentence in printed.err
    assert printed.err.count("\n") == 1
    assert "Errno" not in printed.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no device that is full")
def test_output_that_has_no_space_is_named():
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "pipeline", "--help"],
            cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == f"the output could not be written: {FULL}: give it a place with room\n"
