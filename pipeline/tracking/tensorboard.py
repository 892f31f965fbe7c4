"""Events of a training -> runs/tensorboard/<run>-<model>-<preset>: its metrics, written after each epoch."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.settings.config import Config

if TYPE_CHECKING:
    import tensorflow as tf

log = logging.getLogger("beamline")

TENSORBOARD_FOLDER = "tensorboard"
VALIDATION = "val_"
# Keys of an epoch's event that are not metrics.
NOT_METRICS = ("event", "epoch", "epochs", "seconds")


@contextmanager
def write_tensorboard(config: Config, run: str) -> Iterator[None]:
    """Writes the metrics of each epoch that is logged meanwhile; TensorBoard shows them under the run's name.

    The files are not a part of the model's artifact: they have times, and its digest must be the same each time.
    """
    writer = EpochWriter(config.runs / TENSORBOARD_FOLDER / f"{run}-{config.model}-{config.train.preset}")
    log.addHandler(writer)
    try:
        yield
    finally:
        log.removeHandler(writer)
        writer.close()


class EpochWriter(logging.Handler):
    """TensorBoard's event files, in one folder for training and one for validation; none if nothing is trained."""

    def __init__(self, folder: Path) -> None:
        """Args: folder: created with the first epoch."""
        super().__init__()
        self._folder = folder
        self._writers: dict[str, tf.summary.SummaryWriter] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Writes the metrics of an epoch, and flushes them; an error is reported, and does not stop the training."""
        event: dict[str, Any] = getattr(record, "event", {})
        if event.get("event") != "epoch":
            return
        try:
            for name, value in event.items():
                if name not in NOT_METRICS:
                    self._write(name, value, event["epoch"])
        except Exception:
            self.handleError(record)

    def close(self) -> None:
        """Closes the files."""
        for writer in self._writers.values():
            writer.close()
        super().close()

    def _write(self, name: str, value: float, epoch: int) -> None:
        # The training has already imported TensorFlow.
        import tensorflow as tf

        kind = "validation" if name.startswith(VALIDATION) else "training"
        if kind not in self._writers:
            self._writers[kind] = tf.summary.create_file_writer(str(self._folder / kind))
        # Leaving the context flushes the file, so that TensorBoard shows the epoch while the training goes on.
        with self._writers[kind].as_default():
            tf.summary.scalar(name.removeprefix(VALIDATION), value, step=epoch)
