"""Epochs -> figures, checkpoints and what is told of them, while a model trains."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.checkpoint import History, write_checkpoint
from serving.errors import BeamlineError

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

log = logging.getLogger("beamline.train")

# An epoch's number, from 1, and its figures -> the event that tells them.
Event = Callable[[int, dict[str, float]], dict[str, Any]]


def bookkeeping(epoch: tf.Variable, history: History, checkpoints: Path, event: Event) -> keras.callbacks.Callback:
    """Moves the data on to each epoch; after it, keeps its figures, a checkpoint, and tells.

    Args:
        epoch: int64 scalar, the number of finished epochs, which the order of the rows depends on.
        history: of the finished epochs; it grows.
        checkpoints: folder of the checkpoint.
        event: makes what is told of an epoch.

    Returns:
        A callback that raises BeamlineError where the loss is no number.
    """
    import keras

    started = time.perf_counter()
    for number, figures in enumerate(history, start=1):
        # A person has seen these; whoever draws the curves of this training needs all of them.
        log.debug("epoch %d was trained before", number, extra={"event": event(number, figures)})

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
        assert keeper.model is not None
        write_checkpoint(checkpoints, keeper.model, history)
        figures = ", ".join(f"{name} {value:.4f}" for name, value in history[-1].items())
        told = event(index + 1, history[-1]) | {"seconds": round(seconds, 3)}
        log.info("epoch %d/%d  %s  %.1f s", index + 1, told["epochs"], figures, seconds, extra={"event": told})

    keeper = keras.callbacks.LambdaCallback(on_epoch_begin=begin, on_epoch_end=end)
    return keeper
