"""Events of a run -> runs/tensorboard/<run>-<model>-<preset>: the curves of a training, while it trains."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.config import Config

if TYPE_CHECKING:
    import tensorflow as tf

log = logging.getLogger("beamline")

FOLDER = "tensorboard"
VALIDATION = "val_"
# What an epoch's event says beside figures.
WORDS = ("event", "epoch", "epochs", "seconds")


@contextmanager
def curves_of(config: Config, run: str) -> Iterator[None]:
    """Writes the figures of every epoch that is told meanwhile, where TensorBoard shows them by the run's name.

    They are no part of the model's artifact: what its digest is of is the same each time, and times are not.

    Args:
        config: of the run.
        run: its number.
    """
    curves = Curves(config.runs / FOLDER / f"{run}-{config.model}-{config.train.preset}")
    log.addHandler(curves)
    try:
        yield
    finally:
        log.removeHandler(curves)
        curves.close()


class Curves(logging.Handler):
    """Event files of TensorBoard, one folder for training and one for validation; none where nothing is trained."""

    def __init__(self, folder: Path) -> None:
        """Args: folder: made with the first epoch."""
        super().__init__()
        self._folder = folder
        self._writers: dict[str, tf.summary.SummaryWriter] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Writes an epoch's figures, on the disk when it returns. Nothing here is worth losing a training for."""
        event: dict[str, Any] = getattr(record, "event", {})
        if event.get("event") != "epoch":
            return
        try:
            for name, value in event.items():
                if name not in WORDS:
                    self._write(name, value, event["epoch"])
        except Exception:
            self.handleError(record)

    def close(self) -> None:
        """Closes the files."""
        for writer in self._writers.values():
            writer.close()
        super().close()

    def _write(self, name: str, value: float, epoch: int) -> None:
        # Whoever trains has imported it already.
        import tensorflow as tf

        kind = "validation" if name.startswith(VALIDATION) else "training"
        if kind not in self._writers:
            self._writers[kind] = tf.summary.create_file_writer(str(self._folder / kind))
        # What is written is flushed as this is left: people watch.
        with self._writers[kind].as_default():
            tf.summary.scalar(name.removeprefix(VALIDATION), value, step=epoch)
