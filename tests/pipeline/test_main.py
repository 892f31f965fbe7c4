"""The command line: commands that there are, mistakes in one sentence, the right exit codes."""

from __future__ import annotations

import pytest

from pipeline.__main__ import COMMANDS, main
from pipeline.records.run_history import RunHistory
from tests.pipeline.requests import recorded


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
    history.begin(history.next_run(), *recorded("--seed", "42"))
    assert main(["runs"]) == 0
    listed = capsys.readouterr().out
    assert "0001" in listed
    assert "mlp-128-128" in listed
    assert main(["show", "1"]) == 0
    shown = capsys.readouterr().out
    assert "run 0001: running" in shown
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
    sentence = "run: there is not enough memory (Unable to allocate 3 TiB): end other programs, or ask for less\n"
    assert capsys.readouterr().err == sentence


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
