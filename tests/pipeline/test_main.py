"""The command line: commands that there are, mistakes in one sentence, the right exit codes."""

from __future__ import annotations

import pytest

from pipeline.__main__ import COMMANDS, main
from pipeline.history import History
from pipeline.options import parse_run


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_without_a_command_the_usage_is_shown(capsys):
    assert main([]) == 2
    assert main(["--help"]) == 0
    said = capsys.readouterr()
    for command in COMMANDS:
        assert command in said.out


def test_runs_and_show_tell_what_is_remembered(tmp_path, capsys):
    history = History(tmp_path / "runs")
    history.begin(history.next_run(), parse_run(["--seed", "42"]))
    assert main(["runs"]) == 0
    listed = capsys.readouterr().out
    assert "0001" in listed
    assert "mlp-128-128" in listed
    assert main(["show", "1"]) == 0
    shown = capsys.readouterr().out
    assert "run 0001: running" in shown
    assert "seed 42" in shown


def test_interrupted_command_has_its_exit_code(monkeypatch, capsys):
    def interrupt(command, rest):
        raise KeyboardInterrupt

    monkeypatch.setattr("pipeline.__main__._dispatch", interrupt)
    assert main(["run"]) == 130
    assert capsys.readouterr().err == "run: interrupted\n"


@pytest.mark.parametrize(("library", "told"), [("tyro", True), ("tensorflow.keras", True), ("pipeline.runn", False)])
def test_only_a_library_of_the_extra_is_said_to_be_missing(monkeypatch, capsys, library, told):
    def lack(command, rest):
        raise ModuleNotFoundError(f"No module named {library!r}", name=library)

    monkeypatch.setattr("pipeline.__main__._dispatch", lack)
    if told:
        assert main(["run"]) == 1
        assert f"run: {library.split('.')[0]} is not installed: pip install '.[pipeline]'" in capsys.readouterr().err
    else:
        with pytest.raises(ModuleNotFoundError):
            main(["run"])
