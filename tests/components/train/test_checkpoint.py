"""checkpoint: a training continues from it unchanged; a partial file is never read."""

from __future__ import annotations

import numpy as np
import pytest

import components.train.checkpoint
from components.train.checkpoint import read_checkpoint, write_checkpoint

HISTORY = [{"accuracy": 0.5, "loss": 1.25}]


def fresh():
    """A small compiled network with its optimizer built."""
    import keras

    network = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(4), keras.layers.Dense(2)])
    network.compile(optimizer="adam", loss="mean_squared_error")
    network.optimizer.build(network.trainable_variables)
    return network


def step(network, times=1):
    random = np.random.default_rng(5)
    inputs, targets = random.normal(size=(8, 3)), random.normal(size=(8, 2))
    for _ in range(times):
        network.train_on_batch(inputs, targets)


def state(network):
    return [variable.numpy().copy() for variable in (*network.variables, *network.optimizer.variables)]


def assert_same(one, other):
    assert len(one) == len(other)
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_weights_optimizer_and_history_are_restored(tmp_path):
    network, other = fresh(), fresh()
    step(network, 3)
    write_checkpoint(tmp_path / "checkpoints", network, HISTORY)
    assert read_checkpoint(tmp_path / "checkpoints", other) == HISTORY
    assert_same(state(other), state(network))
    assert int(other.optimizer.iterations) == 3


def test_the_next_step_is_the_same_as_without_interruption(tmp_path):
    network, other = fresh(), fresh()
    step(network, 3)
    write_checkpoint(tmp_path, network, HISTORY)
    read_checkpoint(tmp_path, other)
    step(network)
    step(other)
    assert_same(state(other), state(network))


def test_a_missing_checkpoint_changes_nothing(tmp_path):
    network = fresh()
    before = state(network)
    assert read_checkpoint(tmp_path / "absent", network) == []
    assert_same(state(network), before)


def test_an_interruption_while_writing_leaves_the_previous_one(tmp_path, monkeypatch):
    network, other = fresh(), fresh()
    step(network)
    write_checkpoint(tmp_path, network, HISTORY)
    kept = state(network)
    step(network)

    def interrupted(source, target):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(components.train.checkpoint.os, "replace", interrupted)
        with pytest.raises(KeyboardInterrupt):
            write_checkpoint(tmp_path, network, HISTORY * 2)
    assert [file.name for file in tmp_path.iterdir()] == ["epoch.npz"]
    assert read_checkpoint(tmp_path, other) == HISTORY
    assert_same(state(other), kept)
    write_checkpoint(tmp_path, network, HISTORY * 2)
    assert read_checkpoint(tmp_path, other) == HISTORY * 2
    assert_same(state(other), state(network))


def test_a_full_disk_while_writing_leaves_the_previous_one(tmp_path, monkeypatch):
    network, other = fresh(), fresh()
    write_checkpoint(tmp_path, network, HISTORY)

    def cut_short(file, **arrays):
        file.write(b"PK\x03\x04")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(components.train.checkpoint.np, "savez", cut_short)
        with pytest.raises(OSError, match="No space left"):
            write_checkpoint(tmp_path, network, HISTORY * 2)
    assert read_checkpoint(tmp_path, other) == HISTORY
    assert_same(state(other), state(network))


def test_a_newer_checkpoint_replaces_the_older(tmp_path):
    network, other = fresh(), fresh()
    write_checkpoint(tmp_path, network, HISTORY)
    step(network)
    write_checkpoint(tmp_path, network, HISTORY * 2)
    assert read_checkpoint(tmp_path, other) == HISTORY * 2
    assert_same(state(other), state(network))
    assert [file.name for file in tmp_path.iterdir()] == ["epoch.npz"]


@pytest.mark.parametrize("kept", [0, 100])
def test_a_damaged_checkpoint_is_ignored(tmp_path, kept):
    import keras

    model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(2)])
    model.compile(optimizer="adam", loss="mse")
    model.optimizer.build(model.trainable_variables)
    write_checkpoint(tmp_path, model, [{"loss": 1.0}])
    assert read_checkpoint(tmp_path, model) == [{"loss": 1.0}]
    file = tmp_path / "epoch.npz"
    file.write_bytes(file.read_bytes()[:kept])
    assert read_checkpoint(tmp_path, model) == []
