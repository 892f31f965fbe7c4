"""study: it goes on where it was left, as if it never had been left."""

from __future__ import annotations

from dataclasses import replace

import pytest

from components import train
from pipeline.tuning.study import ask, count_look, finished, opened, study_name
from serving.errors import BeamlineError

BASE = train.Params(validation_fraction=0.2)


def accuracy(recipe: train.Params) -> float:
    """Some figure that follows from a recipe, for a sampler to learn from."""
    return 0.9 - abs(recipe.learning_rate - 0.002) * 20 - abs(recipe.dropout - 0.1) - 0.001 * recipe.epochs


def try_one(study, seed: int = 7) -> None:
    from optuna.trial import TrialState

    trial, recipe = ask(study, BASE, seed)
    for epoch in range(3):
        trial.report(accuracy(recipe) * (epoch + 1) / 3, epoch)
    if trial.should_prune():
        trial.set_user_attr("why", "it fell behind")
        study.tell(trial, state=TrialState.PRUNED)
    else:
        study.tell(trial, accuracy(recipe))


def tried(folder, trials: int, seed: int = 7):
    """What came of that many trials, one after the other."""
    with opened(folder) as study:
        while len(finished(study, BASE)) < trials:
            try_one(study, seed)
        return [(trial.index, trial.recipe, trial.accuracy, trial.why) for trial in finished(study, BASE)]


def test_first_trial_is_the_baseline_and_the_seed_decides_the_others(tmp_path):
    one, same, other = (tried(tmp_path / name, 5, seed) for name, seed in (("a", 7), ("b #1 ?x%41", 7), ("c", 8)))
    assert one[0][1] == BASE
    assert one == same
    assert [file.name for file in (tmp_path / "b #1 ?x%41").iterdir()] == ["study.db"]
    assert one[0] == other[0]
    assert one[1:] != other[1:]
    assert len({recipe for _, recipe, _, _ in one}) == 5


def test_baseline_is_tried_to_its_last_digit(tmp_path):
    base = replace(BASE, dropout=0.125, learning_rate=0.0012345)
    with opened(tmp_path) as study:
        trial, recipe = ask(study, base, 7)
        assert recipe == base
        study.tell(trial, 0.5)
        assert finished(study, base)[0].recipe == base


def test_looks_at_the_test_split_are_counted_by_what_was_looked_at(tmp_path):
    tried(tmp_path, 3)
    for index, looks in ((1, 1), (1, 1), (2, 2), (1, 2)):
        with opened(tmp_path) as study:
            assert count_look(study, finished(study, BASE)[index]) == looks


def test_interrupted_study_goes_on_as_one_that_was_not(tmp_path):
    whole = tried(tmp_path / "whole", 14)
    assert any(why for *_, why in whole)
    for trials in (0, 1, 5, 9, 14):
        tried(tmp_path / "parts", trials)
        with opened(tmp_path / "parts") as study:
            # As a kill leaves it: asked for, begun, and never told.
            trial, recipe = ask(study, BASE, 7)
            trial.report(0.5, 0)
            assert recipe == (whole[trials][1] if trials < 14 else recipe)
    assert tried(tmp_path / "parts", 14) == whole


def test_baseline_that_was_killed_before_it_began_is_tried_once(tmp_path):
    from pipeline.tuning import space

    with opened(tmp_path) as study:
        study.enqueue_trial(space.values_of(BASE))
    recipes = [recipe for _, recipe, _, _ in tried(tmp_path, 4)]
    assert recipes[0] == BASE
    assert BASE not in recipes[1:]


def test_nobody_else_works_on_it_meanwhile(tmp_path):
    with opened(tmp_path), pytest.raises(BeamlineError, match="another search works on"), opened(tmp_path):
        pass


def test_its_name_is_of_the_data_and_of_the_space(monkeypatch):
    name = study_name("a" * 64)
    assert name == study_name("a" * 64) != study_name("b" * 64)
    monkeypatch.setattr("pipeline.tuning.space.LAYERS", (1, 2))
    assert name != study_name("a" * 64)
