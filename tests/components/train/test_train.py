"""train: equal seeds give equal weights, also after an interruption."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from components.artifacts.model import Model
from components.artifacts.preprocessing import NONE, Augmentation
from components.batches import chunks
from components.batches.normalized import normalize
from components.train import Params, epochs, train
from components.train.fitting import compile_model
from components.train.network import build_model
from serving.errors import BeamlineError, InputError
from tests.components.train.models import RECIPE, assert_same_weights

LIMITS = Augmentation(shift=0.2, rotation=30.0, zoom=0.25)


@pytest.fixture(scope="module")
def trained(made, tmp_path_factory):
    return train.run(made.examples, made.transform, RECIPE, tmp_path_factory.mktemp("trained"))


def files_except_checkpoints(contents, model):
    return {name: content for name, content in contents(model.path).items() if not name.startswith("checkpoints/")}


def test_training_learns(made):
    assert [sorted(epoch) for epoch in made.model.history] == [["accuracy", "loss"]] * 8
    assert made.model.history[-1]["loss"] < made.model.history[0]["loss"] / 2
    assert made.model.history[-1]["accuracy"] > 0.95


def test_the_model_has_its_recipe(trained):
    assert trained.parameters == 8 * 8 * 4 + 4
    expected = {"preset": "small", "epochs": 3, "batch_size": 60, "seed": 7, "shape": (8, 8, 1), "classes": 4}
    assert trained.recipe.items() >= expected.items()
    assert len(trained.history) == 3


def test_the_table_of_layers_is_logged_once_and_saved(made, trained, tmp_path, caplog):
    with caplog.at_level("INFO", logger="beamline.train"):
        train.run(made.examples, made.transform, RECIPE, tmp_path)
    first, *others = caplog.messages
    assert re.search(r"^ scores \(Dense, softmax\) +\(None, 4\) +260$", first, flags=re.MULTILINE)
    assert "Total params: 260\n" in first
    assert [message.split()[0] for message in others] == ["epoch"] * 3
    assert (trained.path / "summary.txt").read_text() == f"{first}\n"


@pytest.fixture(scope="module")
def again(made, trained, tmp_path_factory):
    """The same training again, in a process that has trained before."""
    return train.run(made.examples, made.transform, RECIPE, tmp_path_factory.mktemp("again"))


def test_equal_seeds_give_equal_weights(trained, again):
    assert_same_weights(again, trained)
    assert again.history == trained.history


def test_equal_seeds_write_equal_files(trained, again, contents):
    assert files_except_checkpoints(contents, again) == files_except_checkpoints(contents, trained)


def test_another_seed_gives_other_weights(made, trained, tmp_path):
    other = train.run(made.examples, made.transform, replace(RECIPE, seed=8), tmp_path)
    assert not any(np.array_equal(a, b) for a, b in zip(other.weights(), trained.weights(), strict=True))


@pytest.fixture(scope="module", params=["augmentation", "dropout", "decay", "convolutions", None])
def uninterrupted(request, made, trained, tmp_path_factory):
    """A transform, a recipe, and the model of a training without interruption."""
    moving = replace(made.transform, augmentation=LIMITS if request.param == "augmentation" else NONE)
    given = {"dropout": {"dropout": 0.5}, "decay": {"decay": "cosine"}, "convolutions": {"convolutions": (3,)}}
    recipe = replace(RECIPE, **given.get(request.param, {}))
    model = train.run(made.examples, moving, recipe, tmp_path_factory.mktemp("uninterrupted"))
    assert np.array_equal(model.weights()[-1], trained.weights()[-1]) == (request.param is None)
    return moving, recipe, model


def test_an_interrupted_training_ends_with_the_same_weights(
    made, uninterrupted, tmp_path, monkeypatch, contents, caplog
):
    transform, recipe, trained = uninterrupted
    whole = epochs.write_checkpoint

    def interrupted(folder, model, history):
        whole(folder, model, history)
        if len(history) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(epochs, "write_checkpoint", interrupted)
        with pytest.raises(KeyboardInterrupt):
            train.run(made.examples, transform, recipe, tmp_path)
    assert list(contents(tmp_path)) == ["checkpoints/epoch.npz"]

    finished = []
    monkeypatch.setattr(epochs, "write_checkpoint", lambda *given: (finished.append(len(given[2])), whole(*given)))
    with caplog.at_level("INFO", logger="beamline.train"):
        resumed = train.run(made.examples, transform, recipe, tmp_path)
    assert finished == [3]
    assert "continuing after epoch 2" in caplog.text
    assert resumed.history == trained.history
    assert_same_weights(resumed, trained)
    # Then the step's time is not the time of all epochs.
    assert (Model.load(tmp_path).resumed(), trained.resumed()) == (True, False)


def test_integer_and_one_hot_labels_give_equal_figures(made, trained, tmp_path):
    recipe = replace(RECIPE, loss="sparse_categorical_crossentropy", epochs=1)
    sparse = train.run(made.examples, made.transform, recipe, tmp_path)
    assert sparse.history[0]["loss"] == pytest.approx(trained.history[0]["loss"], abs=1e-5)
    assert sparse.history[0]["accuracy"] == pytest.approx(trained.history[0]["accuracy"], abs=1e-6)


def test_cosine_decay_reduces_the_learning_rate_to_0(made, tmp_path):
    # 480 of the 600 rows are trained on: 8 steps of 60 in each of 2 epochs.
    recipe = replace(RECIPE, epochs=2, decay="cosine", validation_fraction=0.2, optimizer="sgd", learning_rate=0.5)
    _, trainer = compile_model(made.examples, made.transform, recipe, rows=480)
    optimizer = trainer.optimizer
    rates = []
    for step in range(17):
        optimizer.iterations.assign(step)
        rates.append(float(optimizer.learning_rate))
    assert rates == pytest.approx([0.25 * (1 + np.cos(np.pi * step / 16)) for step in range(17)], abs=1e-6)


@pytest.mark.parametrize("convolutions", [(), (2,)])
@pytest.mark.parametrize("chunk_steps", [1, 2, 9])
def test_the_steps_are_those_of_plain_keras_with_a_smaller_last_batch(
    made, tmp_path, monkeypatch, chunk_steps, convolutions
):
    monkeypatch.setattr(chunks, "CHUNK_BYTES", chunk_steps * 128 * 64)
    recipe = replace(
        RECIPE,
        epochs=1,
        batch_size=128,
        loss="sparse_categorical_crossentropy",
        optimizer="sgd",
        convolutions=convolutions,
    )
    model = train.run(made.examples, made.transform, recipe, tmp_path)
    losses, weights = plain_keras(made, recipe)
    assert [rows for rows, _ in losses] == [128, 128, 128, 128, 88]
    assert model.history[0]["loss"] == pytest.approx(sum(rows * loss for rows, loss in losses) / 600, abs=1e-5)
    assert all(one == pytest.approx(other, abs=1e-6) for one, other in zip(model.weights(), weights, strict=True))


def plain_keras(made, recipe):
    """One epoch in Keras, without compilation: rows and loss of each batch, and the weights."""
    import keras
    import tensorflow as tf

    from components.batches.stream import Order, Permutation, stream_batches

    keras.utils.set_random_seed(recipe.seed)
    network = build_model((8, 8, 1), 4, recipe)
    network.compile(keras.optimizers.SGD(recipe.learning_rate), recipe.loss, run_eagerly=True)
    order = Order(None, Permutation(recipe.seed, tf.Variable(0, dtype=tf.int64)))
    batches = stream_batches(made.examples, "train", recipe.batch_size, order)
    losses = [
        (len(labels), float(network.train_on_batch(normalize(made.transform, images), labels)))
        for images, labels in batches
    ]
    return losses, network.get_weights()


def test_keras_loads_the_saved_weights(trained, tmp_path):
    again = Model.load(trained.path)
    assert_same_weights(again, trained)
    expected = [layer.shape for layer in again.keras_model().get_weights()]
    assert [weight.shape for weight in trained.weights()] == expected == [(64, 4), (4,)]


@pytest.mark.parametrize("threads", ["1", None])
def test_another_number_of_threads_is_refused_with_the_variable(made, tmp_path, monkeypatch, threads):
    if threads is None:
        monkeypatch.delenv("TF_NUM_INTRAOP_THREADS")
    else:
        monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", threads)
    with pytest.raises(BeamlineError, match="set TF_NUM_INTRAOP_THREADS=2 before it starts"):
        train.run(made.examples, made.transform, RECIPE, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_fraction_that_leaves_no_row_is_refused(made, tmp_path):
    with pytest.raises(BeamlineError, match=r"--train.validation-fraction 0.9999 leaves none of the 600 training rows"):
        train.run(made.examples, made.transform, replace(RECIPE, validation_fraction=0.9999), tmp_path)


@pytest.mark.parametrize(
    ("given", "flag"),
    [
        ({"epochs": 0}, "--train.epochs 0"),
        ({"batch_size": 0}, "--train.batch-size 0"),
        ({"intra_op_threads": 0}, "--train.intra-op-threads 0"),
        ({"dropout": 1.0}, "--train.dropout 1.0"),
        ({"dropout": -0.1}, "--train.dropout -0.1"),
        ({"validation_fraction": 1.0}, "--train.validation-fraction 1.0"),
        ({"validation_fraction": -0.1}, "--train.validation-fraction -0.1"),
        ({"validation_fraction": float("nan")}, "--train.validation-fraction nan"),
        ({"learning_rate": 0.0}, "--train.learning-rate 0.0"),
        ({"learning_rate": float("nan")}, "--train.learning-rate nan"),
        ({"learning_rate": float("inf")}, "--train.learning-rate inf"),
        ({"seed": -1}, "--seed -1"),
        ({"hidden": (128, 0)}, "--train.hidden"),
        ({"convolutions": (-3,)}, "--train.convolutions"),
    ],
)
def test_invalid_parameters_are_refused_by_their_option(given, flag):
    with pytest.raises(InputError) as caught:
        Params(**given)
    assert flag in str(caught.value)


def test_a_training_that_diverges_names_the_remedy(made, tmp_path):
    wild = replace(RECIPE, optimizer="sgd", learning_rate=1e38, hidden=(8,))
    with pytest.raises(
        BeamlineError, match=r"training diverged, the loss is nan after epoch \d: .*--train.learning-rate"
    ):
        train.run(made.examples, made.transform, wild, tmp_path)
