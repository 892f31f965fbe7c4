"""study: an interrupted study continues with the same trials."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import replace

import pytest

from components import train
from pipeline.tuning.space import values_of
from pipeline.tuning.study import (
    finish_trial,
    finished_trials,
    next_trial,
    open_study,
    record_test_evaluation,
    study_id,
)
from serving.errors import BeamlineError

BASE = train.Params(validation_fraction=0.2)


def accuracy(recipe: train.Params) -> float:
    """A function of the recipe, for the sampler to learn from."""
    return 0.9 - abs(recipe.learning_rate - 0.002) * 20 - abs(recipe.dropout - 0.1) - 0.001 * recipe.epochs


def run_trial(study, seed: int = 7) -> None:
    trial, recipe = next_trial(study, BASE, seed)
    for epoch in range(3):
        trial.report(accuracy(recipe) * (epoch + 1) / 3, epoch)
    if trial.should_prune():
        finish_trial(study, trial, None, "below the median")
    else:
        finish_trial(study, trial, accuracy(recipe), "")


def run_trials(folder, trials: int, seed: int = 7):
    """Runs trials until that many are finished, and returns their results."""
    with open_study(folder) as study:
        while len(finished_trials(study, BASE)) < trials:
            run_trial(study, seed)
        return [(trial.index, trial.recipe, trial.accuracy, trial.reason) for trial in finished_trials(study, BASE)]


def test_first_trial_is_the_baseline_and_the_others_follow_from_the_seed(tmp_path):
    one, same, other = (run_trials(tmp_path / name, 5, seed) for name, seed in (("a", 7), ("b #1 ?x%41", 7), ("c", 8)))
    assert one[0][1] == BASE
    assert one == same
    assert [file.name for file in (tmp_path / "b #1 ?x%41").iterdir()] == ["study.db"]
    assert one[0] == other[0]
    assert one[1:] != other[1:]
    assert len({recipe for _, recipe, _, _ in one}) == 5


def test_baseline_is_not_rounded(tmp_path):
    base = replace(BASE, dropout=0.125, learning_rate=0.0012345)
    with open_study(tmp_path) as study:
        trial, recipe = next_trial(study, base, 7)
        assert recipe == base
        study.tell(trial, 0.5)
        assert finished_trials(study, base)[0].recipe == base


def test_test_evaluations_are_counted_once_for_each_trial(tmp_path):
    run_trials(tmp_path, 3)
    for index, count in ((1, 1), (1, 1), (2, 2), (1, 2)):
        with open_study(tmp_path) as study:
            assert record_test_evaluation(study, finished_trials(study, BASE)[index]) == count


@pytest.mark.exhaustive
def test_interrupted_study_continues_with_the_same_trials(tmp_path):
    whole = run_trials(tmp_path / "whole", 14)
    assert any(reason for *_, reason in whole)
    for trials in (0, 1, 5, 9, 14):
        run_trials(tmp_path / "parts", trials)
        with open_study(tmp_path / "parts") as study:
            # As after a kill: started, and not finished.
            trial, recipe = next_trial(study, BASE, 7)
            trial.report(0.5, 0)
            assert recipe == (whole[trials][1] if trials < 14 else recipe)
    assert run_trials(tmp_path / "parts", 14) == whole


def test_baseline_is_tried_once_after_a_kill_before_it_started(tmp_path):
    with open_study(tmp_path) as study:
        study.enqueue_trial(values_of(BASE))
    recipes = [recipe for _, recipe, _, _ in run_trials(tmp_path, 4)]
    assert recipes[0] == BASE
    assert BASE not in recipes[1:]


def test_refuses_a_second_search_at_the_same_time(tmp_path):
    with open_study(tmp_path), pytest.raises(BeamlineError, match="another search uses"), open_study(tmp_path):
        pass


def test_name_follows_from_the_data_and_the_space(monkeypatch):
    name = study_id("a" * 64)
    assert name == study_id("a" * 64) != study_id("b" * 64)
    monkeypatch.setattr("pipeline.tuning.space.LAYERS", (1, 2))
    assert name != study_id("a" * 64)


def replaced(file):
    file.write_bytes(b"not a database" * 1000)


def shortened(file):
    file.write_bytes(file.read_bytes()[:5000])


def changed(statement):
    def change(file):
        with contextlib.closing(sqlite3.connect(file)) as database:
            database.execute(statement)
            database.commit()

    return change


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (replaced, "file is not a database"),
        (shortened, "database disk image is malformed"),
        (changed("update trials set state = 'LOST'"), "'LOST'"),
    ],
)
def test_database_that_cannot_be_used_is_named_in_one_sentence(tmp_path, damage, message):
    run_trials(tmp_path, 1)
    damage(tmp_path / "study.db")
    with pytest.raises(BeamlineError) as error, open_study(tmp_path):
        pass
    assert str(error.value).startswith(f"{tmp_path}/study.db cannot be used (")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_database_that_fails_during_the_search_is_named_in_one_sentence(tmp_path):
    def search():
        with open_study(tmp_path) as study:
            trial, _ = next_trial(study, BASE, 7)
            changed("drop table trial_values")(tmp_path / "study.db")
            finish_trial(study, trial, 0.5, "")

    with pytest.raises(BeamlineError) as error:
        search()
    assert str(error.value).startswith(f"{tmp_path}/study.db cannot be used (no such table: trial_values): make room")
