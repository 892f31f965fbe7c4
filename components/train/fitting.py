"""Examples + Transform + recipe -> Keras model: compiled, and trained from its last checkpoint on."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.artifacts.examples import Examples
from components.artifacts.preprocessing import Transform
from components.batches.normalized import normalized_batches
from components.batches.stream import Order, Permutation
from components.train.checkpoint import History, read_checkpoint
from components.train.epochs import EpochEvent, epoch_callback
from components.train.hold_out import HoldOut, hold_out, last_rows
from components.train.network import build_model, layers_table
from components.train.recipe import Params
from serving.errors import BeamlineError

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

log = logging.getLogger("beamline.train")

# Steps that TensorFlow runs before it returns to Python; the weights are the same for any number.
STEPS_PER_EXECUTION = 500
VALIDATION_BATCH_SIZE = 1000
KERAS_DEFAULTS: dict[str, Any] = {
    "backend": "tensorflow",
    "floatx": "float32",
    "dtype policy": "float32",
    "image data format": "channels_last",
    "epsilon": 1e-7,
    "largest number of epochs": None,
    "largest number of steps": None,
}


def fit(
    examples: Examples,
    transform: Transform,
    params: Params,
    checkpoints: Path,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> tuple[keras.Sequential, History]:
    """Trains on the training split; continues from the last checkpoint if there is one.

    Args:
        examples: the data set.
        transform: the preprocessing.
        params: the recipe.
        checkpoints: the checkpoint's folder; it is created if it is missing.
        callbacks: called after each epoch, when its figures and its checkpoint are written.

    Returns:
        The trained model, and the figures of each epoch.

    Raises:
        BeamlineError: TensorFlow has another number of threads than the recipe, Keras has other settings than its
            defaults, no row is left to train on, or the training diverged.
    """
    _require_threads(params.intra_op_threads)
    _require_keras_defaults()
    import tensorflow as tf

    model = compile_model(examples, params)
    if history := read_checkpoint(checkpoints, model):
        log.info("continuing after epoch %d: an earlier run was interrupted", len(history))
    # `epoch_callback` sets it; the data set reads it at the start of each epoch, to shuffle the rows.
    epoch = tf.Variable(len(history), dtype=tf.int64, trainable=False)
    training, validation = _datasets(examples, transform, params, epoch)
    model.fit(
        training,
        validation_data=validation,
        initial_epoch=len(history),
        epochs=params.epochs,
        shuffle=False,
        verbose=0,
        callbacks=[epoch_callback(epoch, history, checkpoints, _epoch_event(examples, params)), *callbacks],
    )
    return model, history


def _require_threads(threads: int) -> None:
    # TensorFlow reads this variable once, when it starts.
    if os.environ.get("TF_NUM_INTRAOP_THREADS") != str(threads):
        raise BeamlineError(
            f"the recipe needs {threads} intra-op threads, TensorFlow was started with "
            f"{os.environ.get('TF_NUM_INTRAOP_THREADS', 'its default')}: "
            f"set TF_NUM_INTRAOP_THREADS={threads} before it starts"
        )


def _require_keras_defaults() -> None:
    """Checks what Keras read from keras.json and the environment as it started, or what a program set since then."""
    import keras

    found = {
        "backend": keras.config.backend(),
        "floatx": keras.config.floatx(),
        "dtype policy": keras.config.dtype_policy().name,
        "image data format": keras.config.image_data_format(),
        "epsilon": keras.config.epsilon(),
        "largest number of epochs": keras.config.max_epochs(),
        "largest number of steps": keras.config.max_steps_per_epoch(),
    }
    for name, value in found.items():
        if value != KERAS_DEFAULTS[name]:
            raise BeamlineError(
                f"Keras has the {name} {value}, and models are trained with {KERAS_DEFAULTS[name]}: remove the setting "
                "from keras.json, from the variables KERAS_… or from the program"
            )


def compile_model(examples: Examples, params: Params) -> keras.Sequential:
    """The untrained model of a recipe, with its optimizer built; logs the table of its layers."""
    import keras

    keras.utils.set_random_seed(params.seed)
    model = build_model(examples.image_shape, len(examples.class_names), params)
    rate = _learning_rate(examples, params)
    optimizer = keras.optimizers.get({"class_name": params.optimizer, "config": {"learning_rate": rate}})
    model.compile(
        optimizer=optimizer,
        loss=params.loss,
        metrics=["accuracy"],
        # On a CPU, XLA takes 2.5 times as long as TensorFlow for convolutions, and 25 times as long for the random
        # numbers of the dropout of 784 inputs.
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
    """The number of steps of an epoch."""
    return -(-len(split_rows(examples, params).training) // params.batch_size)


def split_rows(examples: Examples, params: Params) -> HoldOut:
    """The rows that are trained on, and the validation rows: the set's own, or else a fraction of all.

    Raises: BeamlineError: as `hold_out`.
    """
    labels = examples.all_labels("train")
    if examples.validation_rows:
        return last_rows(labels, examples.validation_rows)
    return hold_out(labels, params.validation_fraction, params.seed)


def _datasets(
    examples: Examples, transform: Transform, params: Params, epoch: tf.Variable
) -> tuple[tf.data.Dataset, tf.data.Dataset | None]:
    """Training and validation batches: float32 (n, h, w, c) and labels, int64 (n,) or one-hot float32 (n, classes).

    The second is None without validation rows.
    """
    one_hot = params.loss == "categorical_crossentropy"
    batches = partial(normalized_batches, transform, examples, "train", one_hot=one_hot)
    held = split_rows(examples, params)
    training = batches(params.batch_size, order=Order(held.training, Permutation(params.seed, epoch)))
    if not len(held.validation):
        return training, None
    return training, batches(VALIDATION_BATCH_SIZE, order=Order(held.validation))


def _epoch_event(examples: Examples, params: Params) -> EpochEvent:
    """Makes the function that returns an epoch's event, with the learning rate at its end."""
    rate, steps = _learning_rate(examples, params), _steps(examples, params)

    def event(number: int, figures: dict[str, float]) -> dict[str, Any]:
        rate_now = rate if isinstance(rate, float) else float(rate(number * steps))
        return {"event": "epoch", "epoch": number, "epochs": params.epochs, **figures, "learning_rate": rate_now}

    return event
