"""Recipe -> validation accuracy: trains one trial, and prunes it if it is worse than the trials before it."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from components.artifacts.examples import Examples
from components.artifacts.preprocessing import Transform
from components.train.fitting import fit
from components.train.recipe import Params
from serving.errors import BeamlineError

if TYPE_CHECKING:
    import keras
    import optuna


def train_trial(
    trial: optuna.Trial, recipe: Params, examples: Examples, transform: Transform, scratch: Path
) -> tuple[float | None, str]:
    """Trains a recipe; stops early if its accuracy is below the median of the trials before it.

    Args:
        trial: receives the accuracy on the validation rows after each epoch.
        recipe: has a validation fraction.
        examples: only the training split is read.
        transform: the examples' preprocessing.
        scratch: folder for temporary files; it is emptied first and deleted at the end.

    Returns:
        The accuracy on the validation rows after the last epoch, a fraction, and an empty text; or None, and why the
        trial was pruned.
    """
    import keras
    import optuna

    # Free the memory of earlier trials.
    keras.backend.clear_session()
    try:
        with _temporary(scratch) as folder, _quiet_training():
            _, history = fit(examples, transform, recipe, folder / "checkpoints", [_pruning_callback(trial)])
    except optuna.TrialPruned as pruned:
        return None, str(pruned)
    except BeamlineError as error:
        return None, str(error)
    return history[-1]["val_accuracy"], ""


def _pruning_callback(trial: optuna.Trial) -> keras.callbacks.Callback:
    import keras
    import optuna

    def report(index: int, logs: dict[str, float]) -> None:
        trial.report(logs["val_accuracy"], index)
        if trial.should_prune():
            raise optuna.TrialPruned(f"below the median after epoch {index + 1}, with {logs['val_accuracy']:.4f}")

    return keras.callbacks.LambdaCallback(on_epoch_end=report)


@contextmanager
def _temporary(folder: Path) -> Iterator[Path]:
    """An empty folder: a killed trial may have left files in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _quiet_training() -> Iterator[None]:
    """Hides the table of layers and the epochs: the search logs one line for each trial."""
    log = logging.getLogger("beamline.train")
    log.setLevel(logging.WARNING)
    try:
        yield
    finally:
        log.setLevel(logging.NOTSET)
