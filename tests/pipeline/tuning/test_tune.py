"""tune: what is held against what in the end, told how often that was done; without any trial being made."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from pipeline.outcome import Outcome
from pipeline.preset_file import find_recipe, read_preset, same_recipe
from pipeline.tune import VALIDATION_FRACTION, tune
from pipeline.tuning.study import Trial
from serving.errors import InputError
from tests.pipeline.comparison.entries import comparison, entry

BASE = replace(find_recipe("linear"), epochs=4, seed=3, validation_fraction=VALIDATION_FRACTION)
BETTER = replace(BASE, epochs=9)
BEST = replace(BASE, epochs=10)


def trials(*recipes):
    """Each better than those before."""
    return [Trial(index, recipe, False, 0.8 + index / 100, 1.0, "") for index, recipe in enumerate(recipes)]


class World:
    """What the search and the data steps come to, and what was compared."""

    def __init__(self, runs):
        self.runs, self.done, self.refused, self.compared = runs, trials(BASE), (), []

    def complete(self, steps, *_):
        return {
            step.name: Outcome(step.name, "executed", 1.0, step.name, "ab", step.name not in self.refused, ("leaks",))
            for step in steps
        }

    def search(self, study, base, *_):
        assert base == BASE
        return self.done

    def compare(self, found, flags):
        self.compared.append(([candidate.request.config.train for candidate in found], tuple(flags)))
        first, second = (candidate.preset for candidate in found)
        return comparison(entry(first, 950), entry(second, 900)), self.runs

    def tune(self, *more):
        recipe = ["--preset", "linear", "--train.epochs", "4"]
        return tune([*recipe, "--dataset", "digits", "--seed=3", "--runs", str(self.runs), *more])


@pytest.fixture
def world(tmp_path, monkeypatch):
    made = World(tmp_path / "runs")
    monkeypatch.chdir(tmp_path)
    for name in ("Examples", "Transform"):
        monkeypatch.setattr(f"pipeline.tune.{name}", SimpleNamespace(load=lambda path: None))
    monkeypatch.setattr("pipeline.tune.set_threads", lambda threads: None)
    monkeypatch.setattr("pipeline.tune.complete", made.complete)
    monkeypatch.setattr("pipeline.tune.search", made.search)
    monkeypatch.setattr("pipeline.tune.compare_candidates", made.compare)
    return made


def test_best_and_baseline_are_compared_with_the_flags_that_are_of_no_recipe(world, tmp_path, capsys):
    world.done = trials(BASE, BETTER)
    assert world.tune("--out", "mine.json") == 0
    ((recipes, flags),) = world.compared
    assert all(same_recipe(one, other) for one, other in zip(recipes, (BETTER, BASE), strict=True))
    assert flags == ("--dataset", "digits", "--seed=3", "--runs", str(world.runs))
    (kept,) = world.runs.glob("tuning/*/best-*.json")
    assert read_preset(tmp_path / "mine.json") == replace(read_preset(kept), preset="mine")
    assert "better beyond chance" in capsys.readouterr().out


def test_every_further_look_at_the_test_split_is_told(world, capsys):
    told = []
    for done in (trials(BASE, BETTER), trials(BASE, BETTER), trials(BASE, BETTER, BEST)):
        world.done = done
        assert world.tune() == 0
        told.append("look number 2 of this search at the test split" in capsys.readouterr().out)
    assert told == [False, False, True]


def test_where_the_preset_is_the_best_nobody_looks(world, capsys):
    assert world.tune() == 0
    assert world.compared == []
    assert "no trial was better than linear" in capsys.readouterr().out


def test_search_without_a_trial_has_failed(world):
    world.done = []
    assert world.tune("--timeout", "1") == 1
    assert world.compared == []


def test_data_that_a_gate_refuses_are_not_searched_on(world, capsys):
    world.refused = ("validate",)
    assert world.tune() == 3
    assert "stopped at validate: leaks" in capsys.readouterr().out
    assert list(world.runs.glob("tuning/*/study.db")) == []


def test_what_the_search_did_not_write_is_not_written_over(world, tmp_path):
    (tmp_path / "mine.json").write_text("{}")
    world.done = trials(BASE, BETTER)
    with pytest.raises(InputError, match="exists, and not from this search"):
        world.tune("--out", "mine.json")
    assert (tmp_path / "mine.json").read_text() == "{}"
