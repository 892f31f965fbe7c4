"""compare: the runs share the flags and promote nothing; `--promote` promotes the best preset."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from pipeline.commands.compare import compare
from pipeline.comparison.results import Result
from pipeline.settings.options import parse_run
from pipeline.settings.seed_margins import known_margin
from serving.errors import BeamlineError, InputError
from tests.pipeline.comparison.entries import entry, failed

CORRECT = {"linear": 90, "cnn": 95, "mlp-128-128": 95, "one": 90, "other": 90}


@dataclass
class World:
    """The arguments of all runs, and the results that differ from the default ones."""

    runs: Path
    arguments: list[tuple[str, ...]] = field(default_factory=list)
    digests: dict[str, str] = field(default_factory=dict)
    results: dict[str, Result] = field(default_factory=dict)
    # By how many images each further model differs from those of CORRECT.
    moved: list[int] = field(default_factory=list)

    def compare(self, *arguments):
        return compare([*arguments, "--dataset", "digits", "--runs", str(self.runs)])

    def run_in_child_process(self, arguments, runs):
        self.arguments.append(tuple(arguments))
        return (0 if "--no-promotion" in arguments else 7), None

    def read_result(self, preset, *_):
        number = CORRECT[preset] + (self.moved.pop(0) if self.moved else 0)
        correct = np.arange(100) < number
        made = Result(entry(preset, number, 100, rate=None), self.digests.get(preset, "ab"), correct)
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
    made.patch = lambda: monkeypatch.setattr("pipeline.comparison.candidate_runs.read_result", made.read_result)
    made.patch()
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


def test_each_preset_is_trained_with_each_seed(world, tmp_path, capsys):
    world.moved = [0, 1, -1, 2, -2, 0, 1, -1, 0, 0]
    assert world.compare("linear", "cnn", "--seeds", "5", "--seed", "3") == 0
    seeds = [arguments[arguments.index("--seed") + 1] for arguments in world.arguments]
    assert seeds == ["3", "4", "5", "6", "7"] * 2
    assert [arguments[1] for arguments in world.arguments] == ["linear"] * 5 + ["cnn"] * 5
    assert all(arguments.count("--seed") == 1 and "--seeds" not in arguments for arguments in world.arguments)
    saved = json.loads((tmp_path / "runs/comparisons/0001.json").read_text())
    linear, cnn = saved["entries"]
    assert linear["accuracies"] == [0.9, 0.91, 0.89, 0.92, 0.88]
    assert cnn["seeds"] == [3, 4, 5, 6, 7]
    assert (saved["seeds"], saved["pairs"][0]["gained"]) == (5, None)
    assert saved["pairs"][0]["difference"] == pytest.approx(0.05)
    out = capsys.readouterr().out
    first = out[out.index("compares recipes") :].splitlines()[0]
    assert first == "compares recipes, with 5 seeds each: what is significant holds for other seeds and images too"
    assert "0.9000 ± 0.0158 (0.8800 to 0.9200)" in out
    assert "promotions of linear, cnn use what the seed moved here as their margin" in out
    margin = known_margin(tmp_path / "runs", parse_run(["--preset", "linear", "--dataset", "digits"]).config.record())
    assert margin.origin == "2.13 times the deviation 0.0158 between 5 seeds of linear on digits, comparison 0001"


def test_one_recipe_under_two_names_is_trained_with_other_seeds(world, tmp_path):
    for name in ("one", "other"):
        (tmp_path / f"{name}.json").write_text('{"epochs": 7}')
    world.moved = [0, 1, -1, 1, 0, 0]
    assert world.compare("one.json", "other.json", "--seeds=3") == 0
    seeds = [arguments[arguments.index("--seed") + 1] for arguments in world.arguments if "--seed" in arguments]
    # The first run has the default seed, 7, without a flag.
    assert seeds == ["8", "9", "10", "11", "12"]
    with pytest.raises(InputError, match=r"have the same recipe with these flags: .* with --seeds 5"):
        world.compare("one.json", "other.json")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--seeds", "1"], "--seeds 1: give 2 or more"),
        (["--seeds", "x"], "argument --seeds: invalid int value: 'x'"),
        (["--seeds", "3", "--seed", "4294967294"], "--seed 4294967296: give 0 to 4294967295"),
    ],
)
def test_wrong_seeds_are_refused_before_anything_runs(world, flags, message):
    with pytest.raises(InputError, match=message):
        world.compare("linear", "cnn", *flags)
    assert world.arguments == []


def test_comparison_of_single_models_says_so_first(world, tmp_path, capsys):
    assert world.compare("linear", "cnn") == 0
    out = capsys.readouterr().out
    assert (
        "compares single models, one of each recipe: the seed alone moves the accuracy of a model of linear, cnn by up "
        "to 0.0109 (1.73 times the deviation 0.0063 between 20 seeds of mlp-128-128 on digits); --seeds 5 compares "
        "recipes"
    ) in out
    page = (tmp_path / "runs/comparisons/0001.html").read_text()
    assert page.index("This page compares single models") < page.index("<h1>")


def test_preset_is_refused_if_one_of_its_seeds_is(world, capsys):
    refused = Result(entry("cnn", 95, 100, verdict="refused"), "ab", np.arange(100) < 95)
    world.results = {"cnn": refused}
    assert world.compare("linear", "cnn", "--seeds", "2", "--promote") == 7
    assert world.arguments[-1][1] == "linear"
    out = capsys.readouterr().out
    assert "cnn: seed 7: too few; seed 8: too few" in out
    assert "promoting linear, the most accurate preset that passed every gate, with seed 7, its first" in out


def test_seed_that_was_not_evaluated_is_left_out_and_named(world, tmp_path):
    outcomes = iter([Result(failed("cnn")), Result(entry("cnn", 95, 100), "ab", np.arange(100) < 95)])
    world.read_result = lambda preset, *_: (
        next(outcomes) if preset == "cnn" else Result(entry(preset, 90, 100), "ab", np.arange(100) < 90)
    )
    world.patch()
    assert world.compare("linear", "cnn", "--seeds", "2") == 0
    saved = json.loads((tmp_path / "runs/comparisons/0001.json").read_text())
    cnn = saved["entries"][1]
    assert (cnn["verdict"], cnn["seeds"], cnn["accuracies"]) == ("failed", [8], [0.95])
    # One model is not compared with a recipe.
    assert saved["pairs"] == []
    assert cnn["reasons"] == ["seed 7: the run did not finish (exit code -9)"]


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
    assert "the figures of comparison 0001 were not drawn: Cannot allocate memory" in capsys.readouterr().out
    assert world.files() == ["0001.json"]
    saved = json.loads((tmp_path / "runs" / "comparisons" / "0001.json").read_text())
    assert [one["preset"] for one in saved["entries"]] == ["linear", "cnn"]
