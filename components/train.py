"""Examples + Transform -> Model: a Keras Sequential trained on tf.data, the same weights for the same seed."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from components.artifacts.examples import Examples
from components.artifacts.model import Model
from components.artifacts.transform import Transform
from components.bookkeeping import Event, bookkeeping
from components.checkpoint import History, read_checkpoint
from components.input import Order, Permutation
from components.model import build_model, layers_table
from serving.errors import BeamlineError, InputError

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

log = logging.getLogger("beamline.train")

# Steps that TensorFlow runs before it comes back to Python; the weights are the same for any number.
STEPS_PER_EXECUTION = 500
VALIDATION_BATCH_SIZE = 1000


@dataclass(frozen=True)
class Params:
    """The recipe; presets.py has named ones.

    Attributes:
        preset: the recipe's name.
        convolutions: filters of each convolution, with max-pooling after each.
        hidden: units of each hidden dense layer.
        hidden_activation: of convolutions and hidden layers.
        dropout: fraction of the last layer's inputs that each training step leaves out.
        output_activation: `sigmoid` scores are divided by their sum when the model is exported.
        loss: sparse takes integer labels, the other one-hot ones; the gradients are the same.
        optimizer: as Keras names it.
        learning_rate: the optimizer's step.
        decay: `cosine` lets the learning rate fall to 0 over all epochs along half a cosine.
        epochs: passes over the training rows.
        batch_size: rows a step.
        validation_fraction: the last rows of the training split, held out and scored after each epoch.
        seed: of the weights and of the order of the rows.
        intra_op_threads: of TensorFlow; they change the last bits of the weights, so they are a part of the recipe.
    """

    preset: str = "mlp-128-128"
    convolutions: tuple[int, ...] = ()
    hidden: tuple[int, ...] = (128, 128)
    hidden_activation: Literal["relu", "tanh", "sigmoid", "elu", "gelu"] = "relu"
    dropout: float = 0.0
    output_activation: Literal["softmax", "sigmoid"] = "softmax"
    loss: Literal["categorical_crossentropy", "sparse_categorical_crossentropy"] = "categorical_crossentropy"
    optimizer: Literal["adam", "sgd", "rmsprop"] = "adam"
    learning_rate: float = 0.001
    decay: Literal["none", "cosine"] = "none"
    epochs: int = 5
    batch_size: int = 40
    validation_fraction: float = 0.0
    seed: int = 7
    intra_op_threads: int = 1

    def __post_init__(self) -> None:
        """Refuses what cannot be trained. Raises: InputError."""
        for name in ("epochs", "batch_size", "intra_op_threads"):
            if getattr(self, name) < 1:
                raise InputError(f"--train.{name.replace('_', '-')} {getattr(self, name)}: give 1 or more")
        for name in ("validation_fraction", "dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise InputError(f"--train.{name.replace('_', '-')} {getattr(self, name)}: give 0 or more, below 1")
        if not 0 < self.learning_rate < math.inf:
            raise InputError(f"--train.learning-rate {self.learning_rate}: give a number above 0")
        if not 0 <= self.seed < 1 << 32:
            raise InputError(f"--seed {self.seed}: give 0 to {(1 << 32) - 1}")
        if any(width < 1 for width in (*self.convolutions, *self.hidden)):
            raise InputError("--train.hidden and --train.convolutions: give 1 or more for each layer")


def run(examples: Examples, transform: Transform, params: Params, out: Path) -> Model:
    """Trains, from the last checkpoint where an earlier attempt was interrupted in this `out`.

    Raises:
        BeamlineError: as `fit`.
    """
    model, history = fit(examples, transform, params, out / "checkpoints")
    return (
        Model(
            path=out,
            recipe={**asdict(params), "shape": examples.image_shape, "classes": len(examples.class_names)},
            history=tuple(history),
            parameters=model.count_params(),
        )
        .write_keras_model(model)
        .save()
    )


def fit(
    examples: Examples,
    transform: Transform,
    params: Params,
    checkpoints: Path,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> tuple[keras.Sequential, History]:
    """Trains, from the last checkpoint where there is one.

    Args:
        examples: of which only the training split is read.
        transform: the preprocessing.
        params: the recipe.
        checkpoints: folder of the checkpoint, made where it is missing.
        callbacks: called after each epoch's figures and checkpoint are kept.

    Returns:
        The trained model, and the figures of each epoch.

    Raises:
        BeamlineError: TensorFlow has other threads than the recipe, nothing is left to train on, or training diverged.
    """
    _require_threads(params.intra_op_threads)
    import tensorflow as tf

    model = _compiled(examples, params)
    history = _going_on(checkpoints, model)
    epoch = tf.Variable(len(history), dtype=tf.int64, trainable=False)
    training, validation = _datasets(examples, transform, params, epoch)
    model.fit(
        training,
        validation_data=validation,
        initial_epoch=len(history),
        epochs=params.epochs,
        shuffle=False,
        verbose=0,
        callbacks=[bookkeeping(epoch, history, checkpoints, _epoch_event(examples, params)), *callbacks],
    )
    return model, history


def _going_on(checkpoints: Path, model: keras.Sequential) -> History:
    """The figures of the epochs that an earlier attempt finished, after which the model stands then."""
    history = read_checkpoint(checkpoints, model)
    if history:
        log.info("going on after epoch %d, where an earlier run was interrupted", len(history))
    return history


def _require_threads(threads: int) -> None:
    # TensorFlow reads this once, when it starts; it cannot be said later.
    if os.environ.get("TF_NUM_INTRAOP_THREADS") != str(threads):
        raise BeamlineError(
            f"the recipe says {threads} intra-op threads, TensorFlow was started with "
            f"{os.environ.get('TF_NUM_INTRAOP_THREADS', 'its own number')}: "
            f"set TF_NUM_INTRAOP_THREADS={threads} before it starts"
        )


def _compiled(examples: Examples, params: Params) -> keras.Sequential:
    import keras

    keras.utils.set_random_seed(params.seed)
    model = build_model(
        examples.image_shape,
        len(examples.class_names),
        convolutions=params.convolutions,
        hidden=params.hidden,
        hidden_activation=params.hidden_activation,
        dropout=params.dropout,
        output_activation=params.output_activation,
    )
    rate = _learning_rate(examples, params)
    optimizer = keras.optimizers.get({"class_name": params.optimizer, "config": {"learning_rate": rate}})
    model.compile(
        optimizer=optimizer,
        loss=params.loss,
        metrics=["accuracy"],
        # On a processor XLA's loops for convolutions take 2.5 times as long as TensorFlow's own, its random numbers for
        # the dropout of 784 inputs 25 times.
        jit_compile=not (params.convolutions or params.dropout),
        steps_per_execution=STEPS_PER_EXECUTION,
    )
    optimizer.build(model.trainable_variables)
    event = {"event": "model", "preset": params.preset, "parameters": model.count_params()}
    log.info("%s", layers_table(model), extra={"event": event})
    return model


def _learning_rate(examples: Examples, params: Params) -> float | keras.optimizers.schedules.LearningRateSchedule:
    import keras

    if params.decay == "none":
        return params.learning_rate
    return keras.optimizers.schedules.CosineDecay(params.learning_rate, params.epochs * _steps(examples, params))


def _steps(examples: Examples, params: Params) -> int:
    """How many steps an epoch has."""
    return -(-_training_rows(examples, params) // params.batch_size)


def _training_rows(examples: Examples, params: Params) -> int:
    """How many rows are trained on; the rest, at the end of the split, is held out."""
    rows = examples.rows("train")
    kept = rows - round(rows * params.validation_fraction)
    if kept < 1:
        raise BeamlineError(
            f"of {rows:,} training rows, --train.validation-fraction {params.validation_fraction} leaves none to "
            "train on: give a smaller fraction"
        )
    return kept


def _datasets(
    examples: Examples, transform: Transform, params: Params, epoch: tf.Variable
) -> tuple[tf.data.Dataset, tf.data.Dataset | None]:
    one_hot = params.loss == "categorical_crossentropy"
    rows, kept = examples.rows("train"), _training_rows(examples, params)
    training = transform.dataset(
        examples, "train", params.batch_size, one_hot=one_hot, order=Order(0, kept, Permutation(params.seed, epoch))
    )
    if kept == rows:
        return training, None
    return training, transform.dataset(
        examples, "train", VALIDATION_BATCH_SIZE, one_hot=one_hot, order=Order(kept, rows)
    )


def _epoch_event(examples: Examples, params: Params) -> Event:
    """What makes, of an epoch's number and figures, the event that tells them, with the learning rate at its end."""
    rate, steps = _learning_rate(examples, params), _steps(examples, params)

    def event(number: int, figures: dict[str, float]) -> dict[str, Any]:
        rate_now = rate if isinstance(rate, float) else float(rate(number * steps))
        return {"event": "epoch", "epoch": number, "epochs": params.epochs, **figures, "learning_rate": rate_now}

    return event
