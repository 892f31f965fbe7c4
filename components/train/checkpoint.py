"""Checkpoint: the state of a training after an epoch, as far as the next epoch depends on it."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import keras

History = list[dict[str, float]]


def write_checkpoint(folder: Path, model: keras.Model, history: History) -> None:
    """Replaces the checkpoint in one step; an interruption leaves the previous one.

    The folder is created if it is missing. The model is compiled, with its optimizer built; `history` has one entry for
    each finished epoch.
    """
    folder.mkdir(exist_ok=True)
    staged = folder / "staged.npz"
    state = {f"{index:05d}": np.asarray(variable) for index, variable in enumerate(_variables(model))}
    try:
        with staged.open("wb") as out:
            np.savez(out, allow_pickle=False, history=np.array(json.dumps(history)), **state)
            out.flush()
            os.fsync(out.fileno())
        os.replace(staged, folder / "epoch.npz")
    finally:
        staged.unlink(missing_ok=True)


def read_checkpoint(folder: Path, model: keras.Model) -> History:
    """Restores the model and its optimizer from the checkpoint, and returns the history of the finished epochs.

    The history is empty if there is no checkpoint that can be read.
    """
    file = folder / "epoch.npz"
    if not file.is_file():
        return []
    variables = _variables(model)
    try:
        with file.open("rb") as raw, np.load(raw, allow_pickle=False) as state:
            values = [state[f"{index:05d}"] for index in range(len(variables))]
            history: History = json.loads(str(state["history"]))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return []
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
    return history


def _variables(model: keras.Model) -> list[keras.Variable]:
    return [*model.variables, *model.optimizer.variables]
