"""Epochs -> figures, checkpoints and log events, while a model trains."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.train.checkpoint import History, write_checkpoint
from serving.errors import BeamlineError

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

log = logging.getLogger("beamline.train")

# An epoch's number, from 1, and its figures -> its log event.
EpochEvent = Callable[[int, dict[str, float]], dict[str, Any]]


def epoch_callback(
    epoch: tf.Variable, history: History, checkpoints: Path, event: EpochEvent
) -> keras.callbacks.Callback:
    """Sets the epoch of the data; after each epoch, records its figures, writes a checkpoint and logs.

    Args:
        epoch: int64 scalar, the number of finished epochs; the order of the rows depends on it.
        history: the figures of the finished epochs; it grows.
        checkpoints: the checkpoint's folder.
        event: returns an epoch's log event.

    Returns:
        A callback that raises BeamlineError if the loss is not finite.
    """
    import keras

    started = time.perf_counter()
    for number, figures in enumerate(history, start=1):
        # A person has seen these figures; a plot of this training needs all of them.
        log.debug("epoch %d was trained in an earlier run", number, extra={"event": event(number, figures)})

    def begin(index: int, logs: dict[str, float] | None = None) -> None:
        epoch.assign(index)

    def end(index: int, logs: dict[str, float]) -> None:
        nonlocal started
        seconds, started = time.perf_counter() - started, time.perf_counter()
        if not math.isfinite(logs["loss"]):
            raise BeamlineError(
                f"training diverged, the loss is {logs['loss']} after epoch {index + 1}: "
                "give a smaller --train.learning-rate"
            )
        history.append({name: float(value) for name, value in sorted(logs.items())})
        assert callback.model is not None
        write_checkpoint(checkpoints, callback.model, history)
        figures = ", ".join(f"{name} {value:.4f}" for name, value in history[-1].items())
        values = event(index + 1, history[-1]) | {"seconds": round(seconds, 3)}
        log.info("epoch %d/%d  %s  %.1f s", index + 1, values["epochs"], figures, seconds, extra={"event": values})

    callback = keras.callbacks.LambdaCallback(on_epoch_begin=begin, on_epoch_end=end)
    return callback
