"""One trial: a training that is judged after each epoch on what was held out, and given up when it falls behind."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from components import train
from components.artifacts.examples import Examples
from components.artifacts.transform import Transform
from serving.errors import BeamlineError

if TYPE_CHECKING:
    import keras
    import optuna


def try_recipe(
    trial: optuna.Trial, recipe: train.Params, examples: Examples, transform: Transform, scratch: Path
) -> tuple[float | None, str]:
    """Trains a recipe, as long as it keeps up with the median of the trials before.

    Args:
        trial: which is told the accuracy on the validation share after each epoch.
        recipe: with a validation share.
        examples: of which only the training split is read.
        transform: the preprocessing.
        scratch: folder for what is written on the way, which is gone afterwards, also what a kill left in it.

    Returns:
        The accuracy on the validation share after the last epoch, a fraction, and no words; or None and why it was
        given up.
    """
    import keras
    import optuna

    # What an earlier trial left in memory is of no use.
    keras.backend.clear_session()
    try:
        with _emptied(scratch) as folder, _without_epochs():
            _, history = train.fit(examples, transform, recipe, folder / "checkpoints", [_pruning(trial)])
    except optuna.TrialPruned as pruned:
        return None, str(pruned)
    except BeamlineError as error:
        return None, str(error)
    return history[-1]["val_accuracy"], ""


def _pruning(trial: optuna.Trial) -> keras.callbacks.Callback:
    import keras
    import optuna

    def end(index: int, logs: dict[str, float]) -> None:
        trial.report(logs["val_accuracy"], index)
        if trial.should_prune():
            raise optuna.TrialPruned(f"below the median after epoch {index + 1}, with {logs['val_accuracy']:.4f}")

    return keras.callbacks.LambdaCallback(on_epoch_end=end)


@contextmanager
def _emptied(folder: Path) -> Iterator[Path]:
    """A folder with nothing in it, whatever a killed trial left there."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _without_epochs() -> Iterator[None]:
    """A trial is one line: its table of layers and its epochs are not shown."""
    log = logging.getLogger("beamline.train")
    log.setLevel(logging.WARNING)
    try:
        yield
    finally:
        log.setLevel(logging.NOTSET)
