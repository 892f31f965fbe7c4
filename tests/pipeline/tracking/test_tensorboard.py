"""tensorboard: each epoch is written once, during the training and after an interruption; the model is the same."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from components import train
from components.train import epochs
from pipeline.settings.options import parse_run
from pipeline.tracking.tensorboard import write_tensorboard

RECIPE = train.Params(preset="small", hidden=(), epochs=3, batch_size=60, learning_rate=0.01, validation_fraction=0.2)


@pytest.fixture(autouse=True)
def _logged():
    """Every level is logged, as in a command."""
    log = logging.getLogger("beamline")
    before = log.level
    log.setLevel(logging.DEBUG)
    yield
    log.setLevel(before)


@pytest.fixture
def config(tmp_path):
    config = parse_run(["--dataset", "digits", "--runs", str(tmp_path / "runs"), "--model", "tiny.v2"]).config
    return replace(config, train=RECIPE)


@pytest.fixture
def trained(made, config, tmp_path):
    """Trains as run 0007."""

    def work(recipe=RECIPE, out="out", run="0007"):
        (tmp_path / out).mkdir(exist_ok=True)
        with write_tensorboard(config, run):
            return train.run(made.examples, made.transform, recipe, tmp_path / out)

    return work


def read(folder: Path) -> dict[str, dict[str, list[tuple[int, float]]]]:
    """Steps and values by run and tag, as TensorBoard's own reader finds them."""
    from tensorboard.backend.event_processing.event_multiplexer import EventMultiplexer
    from tensorboard.util.tensor_util import make_ndarray

    found = EventMultiplexer().AddRunsFromDirectory(str(folder))
    found.Reload()
    return {
        run: {
            tag: [(event.step, float(make_ndarray(event.tensor_proto))) for event in found.Tensors(run, tag)]
            for tag in kinds["tensors"]
        }
        for run, kinds in found.Runs().items()
    }


def expected(model) -> dict[str, dict[str, list[tuple[int, float]]]]:
    def curve(name):
        return [(n, np.float32(epoch[name])) for n, epoch in enumerate(model.history, start=1)]

    rate = [(n, np.float32(0.01)) for n in range(1, len(model.history) + 1)]
    return {
        "tensorboard/0007-tiny.v2-small/training": {
            "accuracy": curve("accuracy"),
            "loss": curve("loss"),
            "learning_rate": rate,
        },
        "tensorboard/0007-tiny.v2-small/validation": {"accuracy": curve("val_accuracy"), "loss": curve("val_loss")},
    }


def test_each_epoch_is_written_under_the_runs_name(trained, config):
    model = trained()
    assert read(config.runs) == expected(model)
    assert len(model.history) == 3


def test_epochs_are_written_during_the_training(trained, config, monkeypatch):
    seen = []
    write_checkpoint = epochs.write_checkpoint

    def watched(folder, model, history):
        seen.append([len(tags["loss"]) for tags in read(config.runs).values()] if config.runs.exists() else [])
        write_checkpoint(folder, model, history)

    monkeypatch.setattr(epochs, "write_checkpoint", watched)
    trained()
    assert seen == [[], [1, 1], [2, 2]]


@pytest.mark.exhaustive
def test_resumed_training_has_each_epoch_once(trained, config, monkeypatch):
    write_checkpoint = epochs.write_checkpoint

    def interrupted(folder, model, history):
        write_checkpoint(folder, model, history)
        if len(history) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(epochs, "write_checkpoint", interrupted)
        with pytest.raises(KeyboardInterrupt):
            trained(run="0006")
    model = trained()
    found = read(config.runs)
    assert {name: tags for name, tags in found.items() if "0007" in name} == expected(model)
    assert [len(tags["loss"]) for name, tags in found.items() if "0006" in name] == [1, 1]


def test_learning_rate_is_that_at_the_end_of_the_epoch(trained, config):
    # 480 rows in batches of 60: 8 steps an epoch.
    trained(replace(RECIPE, decay="cosine"))
    rates = read(config.runs)["tensorboard/0007-tiny.v2-small/training"]["learning_rate"]
    halves = [0.005 * (1 + np.cos(np.pi * epoch / 3)) for epoch in (1, 2, 3)]
    assert [rate for _, rate in rates] == pytest.approx(halves, abs=1e-8)


def test_nothing_is_written_without_a_training(config):
    with write_tensorboard(config, "0007"):
        logging.getLogger("beamline.pipeline").info("a line")
    assert not config.runs.exists()


@pytest.mark.exhaustive
def test_weights_do_not_change_and_the_model_has_no_event_files(made, trained, tmp_path):
    model = trained()
    (tmp_path / "other").mkdir()
    other = train.run(made.examples, made.transform, RECIPE, tmp_path / "other")
    assert all(np.array_equal(one, two) for one, two in zip(model.weights(), other.weights(), strict=True))
    assert not list(model.path.rglob("*tfevents*"))


def test_failure_to_write_does_not_stop_the_training(trained, config, capsys):
    config.runs.write_text("a file")
    assert len(trained().history) == 3
    assert "Logging error" in capsys.readouterr().err
