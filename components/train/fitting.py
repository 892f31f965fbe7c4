"""Examples + Transform + recipe -> Keras model: compiled, and trained from its last checkpoint on."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.artifacts.examples import Examples
from components.artifacts.preprocessing import Transform
from components.batches.chunks import training_chunks
from components.batches.stream import Order, Permutation, stream_batches
from components.train.checkpoint import History, read_checkpoint
from components.train.epochs import EpochEvent, epoch_callback
from components.train.hold_out import HoldOut, hold_out, last_rows
from components.train.network import build_model, layers_table
from components.train.recipe import Params
from components.train.trainer import make_trainer
from serving.errors import BeamlineError

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

log = logging.getLogger("beamline.train")

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

    held = split_rows(examples, params)
    network, trainer = compile_model(examples, transform, params, len(held.training))
    if history := read_checkpoint(checkpoints, trainer):
        log.info("continuing after epoch %d: an earlier run was interrupted", len(history))
    # `epoch_callback` sets it; the data set reads it at the start of each epoch, to shuffle the rows.
    epoch = tf.Variable(len(history), dtype=tf.int64, trainable=False)
    permutation = Permutation(params.seed, epoch)
    trainer.fit(
        training_chunks(examples, held.training, permutation, params.batch_size, transform.augmentation),
        validation_data=_validation_batches(examples, held),
        initial_epoch=len(history),
        epochs=params.epochs,
        shuffle=False,
        verbose=0,
        callbacks=[epoch_callback(epoch, history, checkpoints, _epoch_event(held, params)), *callbacks],
    )
    return network, history


def _validation_batches(examples: Examples, held: HoldOut) -> tf.data.Dataset | None:
    """The batches of the validation rows, as `stream_batches` has them; None if there are no such rows."""
    if not len(held.validation):
        return None
    return stream_batches(examples, "train", VALIDATION_BATCH_SIZE, Order(held.validation))


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


def compile_model(
    examples: Examples, transform: Transform, params: Params, rows: int
) -> tuple[keras.Sequential, keras.Model]:
    """The untrained network of a recipe, and its trainer, with an optimizer built; logs the table of the layers.

    `rows` is the number of training rows.
    """
    import keras

    keras.utils.set_random_seed(params.seed)
    network = build_model(examples.image_shape, len(examples.class_names), params)
    rate = _learning_rate(rows, params)
    optimizer = keras.optimizers.get({"class_name": params.optimizer, "config": {"learning_rate": rate}})
    trainer = make_trainer(network, optimizer, transform, params, rows)
    event = {"event": "model", "preset": params.preset, "parameters": network.count_params()}
    log.info("%s", layers_table(network), extra={"event": event})
    return network, trainer


def _learning_rate(rows: int, params: Params) -> float | keras.optimizers.schedules.LearningRateSchedule:
    import keras

    if params.decay == "none":
        return params.learning_rate
    return keras.optimizers.schedules.CosineDecay(params.learning_rate, params.epochs * _steps(rows, params))


def _steps(rows: int, params: Params) -> int:
    """The number of steps of an epoch."""
    return -(-rows // params.batch_size)


def split_rows(examples: Examples, params: Params) -> HoldOut:
    """The rows that are trained on, and the validation rows: the set's own, or else a fraction of all.

    Raises: BeamlineError: as `hold_out`.
    """
    labels = examples.all_labels("train")
    if examples.validation_rows:
        return last_rows(labels, examples.validation_rows)
    return hold_out(labels, params.validation_fraction, params.seed)


def _epoch_event(held: HoldOut, params: Params) -> EpochEvent:
    """Makes the function that returns an epoch's event, with the learning rate at its end."""
    rows = len(held.training)
    rate, steps = _learning_rate(rows, params), _steps(rows, params)

    def event(number: int, figures: dict[str, float]) -> dict[str, Any]:
        rate_now = rate if isinstance(rate, float) else float(rate(number * steps))
        return {"event": "epoch", "epoch": number, "epochs": params.epochs, **figures, "learning_rate": rate_now}

    return event
