"""compare: each preset's run is told the same and promotes nothing, the best is promoted where that was asked for."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from pipeline.compare import compare
from pipeline.comparison.results import Outcomes, Result
from serving.errors import BeamlineError
from tests.pipeline.comparison.entries import entry, failed

CORRECT = {"linear": 90, "cnn": 95, "mlp-128-128": 95}


@dataclass
class World:
    """What each preset comes to, where the usual is not said here, and what was run."""

    runs: Path
    told: list[tuple[str, ...]] = field(default_factory=list)
    digests: dict[str, str] = field(default_factory=dict)
    results: dict[str, Result] = field(default_factory=dict)

    def compare(self, *arguments):
        return compare([*arguments, "--dataset", "digits", "--runs", str(self.runs)])

    def run_apart(self, arguments, runs):
        self.told.append(tuple(arguments))
        return (0 if "--no-promotion" in arguments else 7), None

    def read_result(self, preset, *_):
        outcomes = Outcomes(self.digests.get(preset, "ab"), np.arange(100) < CORRECT[preset])
        return self.results.get(preset, Result(entry(preset, CORRECT[preset], 100, rate=None), outcomes))

    def kept(self):
        return sorted(file.name for file in (self.runs / "comparisons").iterdir())


@pytest.fixture
def world(tmp_path, monkeypatch):
    """A comparison of which nothing is trained."""
    made = World(tmp_path / "runs")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pipeline.compare.run_apart", made.run_apart)
    monkeypatch.setattr("pipeline.compare.read_result", made.read_result)
    return made


def flags(told):
    """What follows the preset."""
    assert told[0] == "--preset"
    return told[2:]


def test_every_run_is_told_the_same_and_to_promote_nothing(world, tmp_path):
    assert world.compare("linear", "cnn", "--seed", "3", "--force") == 0
    assert [told[1] for told in world.told] == ["linear", "cnn"]
    told = ("--seed", "3", "--force", "--dataset", "digits", "--runs", str(tmp_path / "runs"), "--no-promotion")
    assert [flags(one) for one in world.told] == [told] * 2
    assert world.kept() == ["0001.html", "0001.json", "0001.png"]


def test_words_for_beam_stay_the_last(world, tmp_path):
    arguments = ["linear", "cnn", "--dataset", "digits", "--runs", str(tmp_path / "runs"), "--promote"]
    assert compare([*arguments, "--", "--direct_num_workers=1"]) == 7
    assert [one[-3:] for one in world.told[:2]] == [("--no-promotion", "--", "--direct_num_workers=1")] * 2
    assert world.told[2][-2:] == ("--", "--direct_num_workers=1")


def test_the_best_is_promoted_as_it_was_run_and_says_how_that_ended(world):
    # cnn and mlp-128-128 have as many right, and as many parameters here: the first of them is the best.
    assert world.compare("linear", "mlp-128-128", "cnn", "--promote", "--force") == 7
    *_, last = world.told
    assert last[1] == "mlp-128-128"
    assert {"--force", "--no-promotion"}.isdisjoint(last)
    assert len(world.told) == 4


@pytest.mark.parametrize("asked", [["--promote"], []])
@pytest.mark.parametrize(("last", "code"), [("refused", 3), ("failed", 1)])
def test_where_none_passed_nothing_is_promoted(world, last, code, asked):
    outcomes = Outcomes("ab", np.arange(100) < 90)
    refused = Result(entry("linear", 90, 100, verdict="refused"), outcomes)
    other = Result(failed("cnn")) if last == "failed" else Result(entry("cnn", 95, 100, verdict="refused"), outcomes)
    world.results = {"linear": refused, "cnn": other}
    assert world.compare("linear", "cnn", *asked) == code
    assert len(world.told) == 2


def test_other_test_images_cannot_be_compared(world, tmp_path):
    world.digests = {"cnn": "cd"}
    with pytest.raises(BeamlineError, match="the data changed between two of the runs"):
        world.compare("linear", "cnn")
    assert not (tmp_path / "runs" / "comparisons").exists()


def test_pictures_that_cannot_be_drawn_are_told_and_the_figures_are_kept(world, tmp_path, monkeypatch, capsys):
    def fail(comparison, file):
        raise MemoryError("too many")

    monkeypatch.setattr("pipeline.compare.write_comparison", fail)
    assert world.compare("linear", "cnn") == 0
    assert "the pictures of comparison 0001 could not be drawn: MemoryError: too many" in capsys.readouterr().out
    assert world.kept() == ["0001.json"]
    kept = json.loads((tmp_path / "runs" / "comparisons" / "0001.json").read_text())
    assert [one["preset"] for one in kept["entries"]] == ["linear", "cnn"]
