"""runs/tuning/<study>: every trial with its figures, in one file that no kill harms; the next one follows from it."""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components import train
from pipeline.tuning import space
from serving.errors import BeamlineError
from serving.files import canonical_json
from serving.locks import locked

if TYPE_CHECKING:
    import optuna

# Trials before the sampler learns from those that there are, and before any is pruned.
RANDOM_TRIALS, UNPRUNED_TRIALS = 6, 4
# Epochs of a trial that are never judged.
UNPRUNED_EPOCHS = 1


@dataclass(frozen=True)
class Trial:
    """A finished trial.

    Attributes:
        index: its place among the finished ones, from 0.
        recipe: that was tried.
        pruned: it was given up, because it fell behind or diverged.
        accuracy: on the validation share after the last epoch, a fraction; None where it was given up.
        seconds: how long it took.
        why: it was given up; empty where it was not.
    """

    index: int
    recipe: train.Params
    pruned: bool
    accuracy: float | None
    seconds: float
    why: str


def study_name(baseline_key: str) -> str:
    """The identity of a study: of all that the baseline's training depends on, data included, and of the space."""
    said = canonical_json({"baseline": baseline_key, "space": space.described()})
    return hashlib.sha256(said.encode()).hexdigest()[:12]


@contextmanager
def opened(folder: Path) -> Iterator[optuna.Study]:
    """The study in a folder, new or as it was left; what was running when it was left is taken back.

    Raises:
        BeamlineError: another search works on it.
    """
    import optuna
    import sqlalchemy

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        # A folder may have any name; in an address, a question mark would end it.
        database = sqlalchemy.URL.create("sqlite", database=str(folder.absolute() / "study.db"))
        storage = optuna.storages.RDBStorage(database.render_as_string())
        try:
            pruner = optuna.pruners.MedianPruner(UNPRUNED_TRIALS, UNPRUNED_EPOCHS)
            study = optuna.create_study(
                storage=storage, study_name="study", load_if_exists=True, direction="maximize", pruner=pruner
            )
            for left in study.get_trials(deepcopy=False, states=[optuna.trial.TrialState.RUNNING]):
                study.tell(left.number, state=optuna.trial.TrialState.FAIL)
            yield study
        finally:
            storage.engine.dispose()


def ask(study: optuna.Study, base: train.Params, seed: int) -> tuple[optuna.Trial, train.Params]:
    """The next trial: the baseline, then what the sampler proposes.

    What it proposes depends on the finished trials and on how many they are, so that a search that was interrupted goes
    on as one that was not.
    """
    import optuna

    index = len(finished(study, base))
    if index == 0 and not study.get_trials(deepcopy=False, states=[optuna.trial.TrialState.WAITING]):
        study.enqueue_trial(space.values_of(base))
    own_seed = int.from_bytes(hashlib.sha256(f"{seed} {index}".encode()).digest()[:4], "little")
    study.sampler = optuna.samplers.TPESampler(seed=own_seed, n_startup_trials=RANDOM_TRIALS)
    trial = study.ask(space.distributions())
    return trial, _recipe(index, trial.params, base)


def finished(study: optuna.Study, base: train.Params) -> list[Trial]:
    """All finished trials, in the order in which they were asked for."""
    from optuna.trial import TrialState

    states = (TrialState.COMPLETE, TrialState.PRUNED)
    return [
        Trial(
            index,
            _recipe(index, found.params, base),
            found.state == TrialState.PRUNED,
            found.value if found.state == TrialState.COMPLETE else None,
            round(found.duration.total_seconds(), 3) if found.duration is not None else 0.0,
            str(found.user_attrs.get("why", "")),
        )
        for index, found in enumerate(study.get_trials(deepcopy=False, states=states))
    ]


def count_look(study: optuna.Study, best: Trial) -> int:
    """Remembers that a best trial is held against the baseline on the test split.

    Returns:
        How many different ones were, this one included: each is another chance to be better by chance.
    """
    looked: list[int] = study.user_attrs.get("looked", [])
    if best.index not in looked:
        looked = [*looked, best.index]
        study.set_user_attr("looked", looked)
    return len(looked)


def _recipe(index: int, values: Mapping[str, Any], base: train.Params) -> train.Params:
    """What a trial is of; the first one is the baseline to its last digit, which proposals are rounded from."""
    return base if index == 0 else space.recipe_of(values, base)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    try:
        with locked(folder, fcntl.LOCK_EX | fcntl.LOCK_NB):
            yield
    except BlockingIOError:
        raise BeamlineError(f"another search works on {folder}: wait until it has ended") from None
