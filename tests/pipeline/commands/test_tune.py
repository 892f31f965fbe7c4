"""tune: the comparison of the best recipe with the preset, without running any trial."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from pipeline.commands.tune import VALIDATION_FRACTION, tune
from pipeline.engine.outcome import Outcome
from pipeline.settings.preset_file import find_recipe, read_preset, same_recipe
from pipeline.tuning.study import Trial
from serving.errors import InputError
from tests.pipeline.comparison.entries import comparison, entry

BASE = replace(find_recipe("linear"), epochs=4, seed=3, validation_fraction=VALIDATION_FRACTION)
BETTER = replace(BASE, epochs=9)
BEST = replace(BASE, epochs=10)


def trials(*recipes):
    """Finished trials, each better than the one before."""
    return [Trial(index, recipe, False, 0.8 + index / 100, 1.0, "") for index, recipe in enumerate(recipes)]


class World:
    """The results of the search and of the data steps, and the recipes that were compared."""

    def __init__(self, runs):
        self.runs, self.trials, self.refused, self.compared = runs, trials(BASE), (), []

    def complete(self, steps, *_):
        return {
            step.name: Outcome(step.name, "executed", 1.0, step.name, "ab", step.name not in self.refused, ("leaks",))
            for step in steps
        }

    def search(self, study, baseline, *_):
        assert baseline == BASE
        return self.trials

    def compare(self, candidates, flags):
        self.compared.append(([candidate.request.config.train for candidate in candidates], tuple(flags)))
        self.seeds = [candidate.seeds for candidate in candidates]
        first, second = (candidate.preset for candidate in candidates)
        return comparison(entry(first, 950), entry(second, 900))

    def tune(self, *more):
        recipe = ["--preset", "linear", "--train.epochs", "4"]
        return tune([*recipe, "--dataset", "digits", "--seed=3", "--runs", str(self.runs), *more])


@pytest.fixture
def world(tmp_path, monkeypatch):
    made = World(tmp_path / "runs")
    monkeypatch.chdir(tmp_path)
    for name in ("Examples", "Transform"):
        monkeypatch.setattr(f"pipeline.tuning.search.{name}", SimpleNamespace(load=lambda path: None))
    monkeypatch.setattr("pipeline.commands.tune.fix_settings", lambda threads: None)
    monkeypatch.setattr("pipeline.tuning.search.complete", made.complete)
    monkeypatch.setattr("pipeline.commands.tune.search", made.search)
    monkeypatch.setattr("pipeline.commands.tune.compare_candidates", made.compare)
    monkeypatch.setattr("pipeline.commands.tune.report_comparison", lambda comparison, runs: None)
    return made


def test_compares_best_and_baseline_with_all_flags_except_the_recipes(world, tmp_path, capsys):
    world.trials = trials(BASE, BETTER)
    assert world.tune("--out", "mine.json") == 0
    ((recipes, flags),) = world.compared
    assert all(same_recipe(one, other) for one, other in zip(recipes, (BETTER, BASE), strict=True))
    assert flags == ("--dataset", "digits", "--seed=3", "--runs", str(world.runs))
    (best,) = world.runs.glob("tuning/*/best-*.json")
    assert read_preset(tmp_path / "mine.json") == replace(read_preset(best), preset="mine")
    assert "significantly better" in capsys.readouterr().out


def test_repeated_use_of_the_test_set_is_logged(world, capsys):
    logged = []
    for finished in (trials(BASE, BETTER), trials(BASE, BETTER), trials(BASE, BETTER, BEST)):
        world.trials = finished
        assert world.tune() == 0
        logged.append("this search has used the test set 2 times" in capsys.readouterr().out)
    assert logged == [False, False, True]


def test_test_set_is_not_used_if_the_preset_is_the_best(world, capsys):
    assert world.tune() == 0
    assert world.compared == []
    assert "no trial was better than linear" in capsys.readouterr().out


def test_search_without_a_finished_trial_fails(world):
    world.trials = []
    assert world.tune("--timeout", "1") == 1
    assert world.compared == []


def test_does_not_search_on_refused_data(world, capsys):
    world.refused = ("validate",)
    assert world.tune() == 3
    assert "stopped at validate: leaks" in capsys.readouterr().out
    assert list(world.runs.glob("tuning/*/study.db")) == []


def test_does_not_replace_a_file_that_the_search_did_not_write(world, tmp_path):
    (tmp_path / "mine.json").write_text("{}")
    world.trials = trials(BASE, BETTER)
    with pytest.raises(InputError, match="exists and is not a recipe of this search"):
        world.tune("--out", "mine.json")
    assert (tmp_path / "mine.json").read_text() == "{}"


def test_best_and_baseline_are_compared_with_the_same_number_of_seeds(world, tmp_path):
    world.trials = trials(BASE, BETTER)
    assert world.tune("--seeds", "5") == 0
    assert world.seeds == [(3, 4, 5, 6, 7)] * 2
    with pytest.raises(InputError, match="--seeds: '0': give a whole number, 1 to 1,000"):
        world.tune("--seeds", "0")
