"""search: trials on the training split alone, as many as asked, the same however often it was stopped."""

from __future__ import annotations

import logging
import shutil
from dataclasses import replace

import pytest

from components import train
from components.artifacts.examples import Examples
from pipeline.tuning.search import Bounds, best_of, search
from pipeline.tuning.study import Trial, opened
from serving.errors import BeamlineError

BASE = train.Params(hidden=(16,), epochs=3, validation_fraction=0.25)


@pytest.fixture
def data(made, tmp_path):
    """Examples without their test split: nothing can look at it."""
    kept = tmp_path / "examples"
    shutil.copytree(made.examples.path, kept)
    gone = list(kept.glob("test-*"))
    for file in gone:
        file.unlink()
    assert gone
    return Examples.load(kept), made.transform


def searched(folder, data, trials, base=BASE, seconds=None):
    folder.mkdir(exist_ok=True)
    with opened(folder) as study:
        return search(study, base, data, Bounds(trials, seconds), folder)


def figures(done):
    return [replace(trial, seconds=0.0) for trial in done]


def test_trials_need_no_test_split_and_end_the_same_after_a_stop(data, tmp_path, monkeypatch):
    whole = searched(tmp_path / "whole", data, 4)
    assert [trial.index for trial in whole] == [0, 1, 2, 3]
    assert whole[0].recipe == BASE
    assert all(0 <= trial.accuracy <= 1 for trial in whole if not trial.pruned)

    def stop(*given, really=train.fit, **named):
        really(*given, **named)
        raise KeyboardInterrupt

    searched(tmp_path / "parts", data, 2)
    # As a kill leaves it.
    (tmp_path / "parts" / "running").mkdir()
    (tmp_path / "parts" / "running" / "checkpoints").touch()
    with monkeypatch.context() as patched:
        patched.setattr(train, "fit", stop)
        with pytest.raises(KeyboardInterrupt):
            searched(tmp_path / "parts", data, 4)
    assert figures(searched(tmp_path / "parts", data, 4)) == figures(whole)
    assert sorted(file.name for file in (tmp_path / "parts").iterdir()) == ["study.db"]


def test_accuracy_is_that_of_the_training_with_this_share_held_out(data, made, tmp_path):
    (trial,) = searched(tmp_path / "study", data, 1)
    (tmp_path / "model").mkdir()
    model = train.run(made.examples, made.transform, BASE, tmp_path / "model")
    assert trial.accuracy == model.history[-1]["val_accuracy"]


def test_what_falls_behind_is_given_up(data, tmp_path, monkeypatch):
    """After four good trials, one that learns nothing ends after its second epoch."""
    searched(tmp_path / "study", data, 4)
    epochs = []

    def fit(examples, transform, params, checkpoints, callbacks, really=train.fit):
        model, history = really(examples, transform, replace(params, learning_rate=1e-9), checkpoints, callbacks)
        epochs.append(len(history))
        return model, history

    monkeypatch.setattr(train, "fit", fit)
    last = searched(tmp_path / "study", data, 5)[-1]
    assert last.pruned
    assert last.accuracy is None
    assert "below the median after epoch 2" in last.why
    assert not epochs


def test_training_that_diverges_is_given_up_but_not_the_first(data, tmp_path, monkeypatch):
    def diverge(*given, **named):
        raise BeamlineError("training diverged")

    monkeypatch.setattr(train, "fit", diverge)
    with pytest.raises(BeamlineError, match="cannot be judged: training diverged"):
        searched(tmp_path / "study", data, 2)
    monkeypatch.undo()
    searched(tmp_path / "study", data, 1)
    monkeypatch.setattr(train, "fit", diverge)
    second = searched(tmp_path / "study", data, 2)[-1]
    assert (second.pruned, second.why) == (True, "training diverged")


def test_no_trial_begins_after_the_time(data, tmp_path):
    assert searched(tmp_path / "study", data, 2, seconds=1e-9) == []


def test_each_trial_is_one_line(data, tmp_path, caplog):
    caplog.set_level(logging.INFO, "beamline")
    searched(tmp_path / "study", data, 2)
    assert [record.event["event"] for record in caplog.records] == ["trial", "trial"]
    assert caplog.messages[0].startswith("trial  1 of 2  ")
    assert "hidden 16, relu, dropout 0, learning rate 0.001, batch 40, 3 epochs" in caplog.messages[0]


def test_best_is_the_first_of_equals():
    trials = [
        Trial(index, BASE, accuracy is None, accuracy, 1.0, "") for index, accuracy in enumerate([0.8, None, 0.9, 0.9])
    ]
    assert best_of(trials).index == 2
