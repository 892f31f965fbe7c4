"""search: trials on the training split alone, within the budget, the same after an interruption."""

from __future__ import annotations

import logging
import shutil
from dataclasses import replace

import pytest

from components import train
from components.artifacts.examples import Examples
from pipeline.tuning import trials
from pipeline.tuning.search import Budget, best_trial, search
from pipeline.tuning.study import Trial, open_study
from serving.errors import BeamlineError

BASE = train.Params(hidden=(16,), epochs=3, validation_fraction=0.25)


@pytest.fixture(scope="module")
def data(made, tmp_path_factory):
    """Examples without the files of the test split, so that nothing can read it."""
    copy = tmp_path_factory.mktemp("data") / "examples"
    shutil.copytree(made.examples.path, copy)
    files = list(copy.glob("test-*"))
    assert files
    for file in files:
        file.unlink()
    return Examples.load(copy), made.transform


@pytest.fixture(scope="module")
def four_trials(data, tmp_path_factory):
    """The folder of a study with four trials, and the trials. Tests that change the study make a copy."""
    folder = tmp_path_factory.mktemp("studies") / "study"
    return folder, run_search(folder, data, 4)


@pytest.fixture
def study(four_trials, tmp_path):
    """A copy of the folder of the study with four trials."""
    return shutil.copytree(four_trials[0], tmp_path / "study")


def run_search(folder, data, trials, baseline=BASE, seconds=None):
    folder.mkdir(exist_ok=True)
    with open_study(folder) as study:
        return search(study, baseline, data, Budget(trials, seconds), folder)


def diverge(*args, **kwargs):
    raise BeamlineError("training diverged")


def without_seconds(trials):
    return [replace(trial, seconds=0.0) for trial in trials]


@pytest.mark.exhaustive
def test_trials_read_no_test_split_and_are_the_same_after_an_interruption(four_trials, data, tmp_path, monkeypatch):
    _, whole = four_trials
    assert [trial.index for trial in whole] == [0, 1, 2, 3]
    assert whole[0].recipe == BASE
    assert all(0 <= trial.accuracy <= 1 for trial in whole if not trial.pruned)

    def stop(*args, fit=trials.fit, **kwargs):
        fit(*args, **kwargs)
        raise KeyboardInterrupt

    run_search(tmp_path / "parts", data, 2)
    # As after a kill.
    (tmp_path / "parts" / "running").mkdir()
    (tmp_path / "parts" / "running" / "checkpoints").touch()
    with monkeypatch.context() as patched:
        patched.setattr(trials, "fit", stop)
        with pytest.raises(KeyboardInterrupt):
            run_search(tmp_path / "parts", data, 4)
    assert without_seconds(run_search(tmp_path / "parts", data, 4)) == without_seconds(whole)
    assert sorted(file.name for file in (tmp_path / "parts").iterdir()) == ["study.db"]


@pytest.mark.exhaustive
def test_accuracy_is_that_of_a_training_with_the_same_validation_rows(four_trials, made, tmp_path):
    model = train.run(made.examples, made.transform, BASE, tmp_path)
    assert four_trials[1][0].accuracy == model.history[-1]["val_accuracy"]


@pytest.mark.exhaustive
def test_prunes_a_trial_below_the_median(study, data, monkeypatch):
    """A trial that learns nothing ends after its second epoch, because four good ones are finished."""
    epochs = []

    def fit_slowly(examples, transform, params, checkpoints, callbacks, fit=trials.fit):
        model, history = fit(examples, transform, replace(params, learning_rate=1e-9), checkpoints, callbacks)
        epochs.append(len(history))
        return model, history

    monkeypatch.setattr(trials, "fit", fit_slowly)
    last = run_search(study, data, 5)[-1]
    assert last.pruned
    assert last.accuracy is None
    assert "below the median after epoch 2" in last.reason
    assert not epochs


@pytest.mark.exhaustive
def test_prunes_a_training_that_diverges_unless_it_is_the_first(study, data, tmp_path, monkeypatch):
    monkeypatch.setattr(trials, "fit", diverge)
    with pytest.raises(BeamlineError, match="the preset itself, failed: training diverged"):
        run_search(tmp_path / "empty", data, 2)
    fifth = run_search(study, data, 5)[-1]
    assert (fifth.pruned, fifth.reason) == (True, "training diverged")


def test_starts_no_trial_after_the_time_limit(data, tmp_path):
    assert run_search(tmp_path / "study", data, 2, seconds=1e-9) == []


@pytest.mark.exhaustive
def test_logs_one_line_for_each_trial(data, tmp_path, monkeypatch, caplog):
    caplog.set_level(logging.INFO, "beamline")
    run_search(tmp_path / "study", data, 1)
    monkeypatch.setattr(trials, "fit", diverge)
    run_search(tmp_path / "study", data, 3)
    assert [record.event["event"] for record in caplog.records] == ["trial", "resumed", "trial", "trial"]
    assert caplog.messages[0].startswith("trial  1 of 1  ")
    assert caplog.messages[2].startswith("trial  2 of 3  pruned")
    assert "hidden 16, relu, dropout 0, learning rate 0.001, batch 40, 3 epochs" in caplog.messages[0]


def test_best_trial_is_the_first_of_equals():
    trials = [
        Trial(index, BASE, accuracy is None, accuracy, 1.0, "") for index, accuracy in enumerate([0.8, None, 0.9, 0.9])
    ]
    assert best_trial(trials).index == 2
