"""compare: the runs share the flags and promote nothing; `--promote` promotes the best preset."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from pipeline.commands.compare import compare
from pipeline.comparison.results import Result
from serving.errors import BeamlineError
from tests.pipeline.comparison.entries import entry, failed

CORRECT = {"linear": 90, "cnn": 95, "mlp-128-128": 95}


@dataclass
class World:
    """The arguments of all runs, and the results that differ from the default ones."""

    runs: Path
    arguments: list[tuple[str, ...]] = field(default_factory=list)
    digests: dict[str, str] = field(default_factory=dict)
    results: dict[str, Result] = field(default_factory=dict)

    def compare(self, *arguments):
        return compare([*arguments, "--dataset", "digits", "--runs", str(self.runs)])

    def run_in_child_process(self, arguments, runs):
        self.arguments.append(tuple(arguments))
        return (0 if "--no-promotion" in arguments else 7), None

    def read_result(self, preset, *_):
        correct = np.arange(100) < CORRECT[preset]
        made = Result(entry(preset, CORRECT[preset], 100, rate=None), self.digests.get(preset, "ab"), correct)
        return self.results.get(preset, made)

    def files(self):
        return sorted(file.name for file in (self.runs / "comparisons").iterdir())


@pytest.fixture
def world(tmp_path, monkeypatch):
    """A comparison that trains nothing."""
    made = World(tmp_path / "runs")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pipeline.comparison.candidate_runs.run_in_child_process", made.run_in_child_process)
    monkeypatch.setattr("pipeline.commands.compare.run_in_child_process", made.run_in_child_process)
    monkeypatch.setattr("pipeline.comparison.candidate_runs.read_result", made.read_result)
    return made


def flags(arguments):
    """The arguments after the preset."""
    assert arguments[0] == "--preset"
    return arguments[2:]


def test_all_runs_have_the_same_flags_and_promote_nothing(world, tmp_path):
    assert world.compare("linear", "cnn", "--seed", "3", "--force") == 0
    assert [arguments[1] for arguments in world.arguments] == ["linear", "cnn"]
    expected = ("--seed", "3", "--force", "--dataset", "digits", "--runs", str(tmp_path / "runs"), "--no-promotion")
    assert [flags(one) for one in world.arguments] == [expected] * 2
    assert world.files() == ["0001.html", "0001.json", "0001.png"]


def test_beam_arguments_stay_last(world, tmp_path):
    arguments = ["linear", "cnn", "--dataset", "digits", "--runs", str(tmp_path / "runs"), "--promote"]
    assert compare([*arguments, "--", "--direct_num_workers=1"]) == 7
    assert [one[-3:] for one in world.arguments[:2]] == [("--no-promotion", "--", "--direct_num_workers=1")] * 2
    assert world.arguments[2][-2:] == ("--", "--direct_num_workers=1")


def test_promotes_the_best_with_the_same_flags_and_returns_its_exit_code(world):
    # cnn and mlp-128-128 have equal accuracy and size here, so the first of them is the best.
    assert world.compare("linear", "mlp-128-128", "cnn", "--promote", "--force") == 7
    *_, last = world.arguments
    assert last[1] == "mlp-128-128"
    assert {"--force", "--no-promotion"}.isdisjoint(last)
    assert len(world.arguments) == 4


@pytest.mark.parametrize("asked", [["--promote"], []])
@pytest.mark.parametrize(("last", "code"), [("refused", 3), ("failed", 1)])
def test_promotes_nothing_if_no_preset_passed(world, last, code, asked):
    correct = np.arange(100) < 90
    refused = Result(entry("linear", 90, 100, verdict="refused"), "ab", correct)
    other = failed("cnn") if last == "failed" else entry("cnn", 95, 100, verdict="refused")
    world.results = {"linear": refused, "cnn": Result(other) if last == "failed" else Result(other, "ab", correct)}
    assert world.compare("linear", "cnn", *asked) == code
    assert len(world.arguments) == 2


def test_refuses_to_compare_runs_on_different_test_sets(world, tmp_path):
    world.digests = {"cnn": "cd"}
    with pytest.raises(BeamlineError, match="the test set changed between two of the runs"):
        world.compare("linear", "cnn")
    assert not (tmp_path / "runs" / "comparisons").exists()


def test_comparison_is_saved_if_its_figures_cannot_be_drawn(world, tmp_path, monkeypatch, capsys):
    def fail(comparison, file):
        raise MemoryError("too many")

    monkeypatch.setattr("pipeline.report.comparison_report.write_comparison", fail)
    assert world.compare("linear", "cnn") == 0
    assert "the figures of comparison 0001 were not drawn: MemoryError: too many" in capsys.readouterr().out
    assert world.files() == ["0001.json"]
    saved = json.loads((tmp_path / "runs" / "comparisons" / "0001.json").read_text())
    assert [one["preset"] for one in saved["entries"]] == ["linear", "cnn"]
