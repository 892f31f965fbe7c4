"""The command line: commands that there are, mistakes in one sentence, the right exit codes."""

from __future__ import annotations

import pytest

from pipeline.__main__ import COMMANDS, main
from pipeline.history import History
from pipeline.options import parse_run


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["rum"], "did you mean run?"),
        (["deploy"], "give one of run, runs, show"),
        (["run", "--preset", "cnnn"], "did you mean cnn?"),
        (["run", "--train.epochs", "0"], "give 1 or more"),
        (["run", "--manual-dir", "nowhere"], "--manual-dir nowhere is no folder"),
        (["run", "--runs", "/proc/nowhere"], "--runs /proc/nowhere cannot be written"),
        (["run", "--models", __file__], "cannot be written: Not a directory"),
        (["runs"], "has no runs yet"),
        (["runs", "--run", "x"], "unrecognized arguments"),
        (["show"], "arguments are required: run"),
        (["show", "3"], "run 3"),
        (["sample", "--split", "validation"], "invalid choice: 'validation'"),
        (["sample", "--out", "images.csv"], "give a name that ends in .npy"),
        (["sample", "--out", "nowhere/images.npy"], "nowhere is no folder"),
        (["sample", "--datset", "mnist"], "did you mean --dataset?"),
    ],
)
def test_mistake_ends_with_2_and_one_sentence_and_writes_nothing(arguments, sentence, capsys, tmp_path):
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert sentence in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""
    assert list(tmp_path.iterdir()) == []


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
        assert f"run: {library.split('.')[0]} is not installed: pip install 'beamline" in capsys.readouterr().err
    else:
        with pytest.raises(ModuleNotFoundError):
            main(["run"])
