"""runs/tuning/<study>: the trials of a search in a database that survives a kill, and the choice of the next trial."""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components import train
from pipeline.tuning.space import describe_space, distributions, recipe_of, values_of
from serving.errors import BeamlineError
from serving.files import canonical_json
from serving.locks import locked

if TYPE_CHECKING:
    import optuna

# n_startup_trials of Optuna's TPESampler and of its MedianPruner.
RANDOM_TRIALS, UNPRUNED_TRIALS = 6, 4
# n_warmup_steps of the MedianPruner, in epochs.
UNPRUNED_EPOCHS = 1
# Names of user attributes in the database: of a trial, and of the study.
REASON, EVALUATED_ON_TEST = "why", "looked"
DATABASE = "study.db"


@dataclass(frozen=True)
class Trial:
    """A finished trial.

    Attributes:
        index: its position among the finished trials, from 0.
        recipe: the recipe that it trained.
        pruned: whether it was stopped early, because it was worse than others or diverged.
        accuracy: on the validation rows after the last epoch, a fraction; None if pruned.
        seconds: its duration.
        reason: why it was pruned; empty if it was not.
    """

    index: int
    recipe: train.Params
    pruned: bool
    accuracy: float | None
    seconds: float
    reason: str


def study_id(baseline_key: str) -> str:
    """The first 12 hex digits of the SHA-256 of the search space and of all inputs of the baseline's training."""
    content = canonical_json({"baseline": baseline_key, "space": describe_space()})
    return hashlib.sha256(content.encode()).hexdigest()[:12]


@contextmanager
def open_study(folder: Path) -> Iterator[optuna.Study]:
    """The study in a folder, new or continued; trials that were running when it stopped are discarded.

    Raises:
        BeamlineError: another search uses the study, or its database cannot be used, now or meanwhile.
    """
    import optuna
    import sqlalchemy

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    folder.mkdir(parents=True, exist_ok=True)
    with _exclusive(folder), _naming(folder / DATABASE):
        # Quoted, because a folder name can have a question mark, which would end the path of a URL.
        database = sqlalchemy.URL.create("sqlite", database=str(folder.absolute() / DATABASE))
        # Of a database that another program changed, the libraries raise these too.
        with _naming(folder / DATABASE, LookupError, RuntimeError, ValueError):
            storage = optuna.storages.RDBStorage(database.render_as_string())
        try:
            pruner = optuna.pruners.MedianPruner(UNPRUNED_TRIALS, UNPRUNED_EPOCHS)
            with _naming(folder / DATABASE, LookupError, RuntimeError, ValueError):
                study = optuna.create_study(
                    storage=storage, study_name="study", load_if_exists=True, direction="maximize", pruner=pruner
                )
                study.get_trials(deepcopy=False)
            for running in study.get_trials(deepcopy=False, states=[optuna.trial.TrialState.RUNNING]):
                study.tell(running.number, state=optuna.trial.TrialState.FAIL)
            yield study
        finally:
            storage.engine.dispose()


def next_trial(study: optuna.Study, baseline: train.Params, seed: int) -> tuple[optuna.Trial, train.Params]:
    """The next trial: first the baseline, then the sampler's proposals.

    A proposal depends only on the finished trials, so that an interrupted search continues as if it had not stopped.
    """
    import optuna

    index = len(finished_trials(study, baseline))
    if index == 0 and not study.get_trials(deepcopy=False, states=[optuna.trial.TrialState.WAITING]):
        study.enqueue_trial(values_of(baseline))
    trial_seed = int.from_bytes(hashlib.sha256(f"{seed} {index}".encode()).digest()[:4], "little")
    study.sampler = optuna.samplers.TPESampler(seed=trial_seed, n_startup_trials=RANDOM_TRIALS)
    trial = study.ask(distributions())
    return trial, _recipe(index, trial.params, baseline)


def finish_trial(study: optuna.Study, trial: optuna.Trial, accuracy: float | None, reason: str) -> None:
    """Stores the result of a running trial: its accuracy, a fraction; or None, and why it was pruned."""
    from optuna.trial import TrialState

    trial.set_user_attr(REASON, reason)
    study.tell(trial, accuracy, state=TrialState.PRUNED if accuracy is None else TrialState.COMPLETE)


def finished_trials(study: optuna.Study, baseline: train.Params) -> list[Trial]:
    """All finished trials, in the order in which they started."""
    from optuna.trial import TrialState

    states = (TrialState.COMPLETE, TrialState.PRUNED)
    return [
        Trial(
            index,
            _recipe(index, trial.params, baseline),
            trial.state == TrialState.PRUNED,
            trial.value if trial.state == TrialState.COMPLETE else None,
            round(trial.duration.total_seconds(), 3) if trial.duration is not None else 0.0,
            str(trial.user_attrs.get(REASON, "")),
        )
        for index, trial in enumerate(study.get_trials(deepcopy=False, states=states))
    ]


def record_test_evaluation(study: optuna.Study, best: Trial) -> int:
    """Records that this trial is evaluated on the test set.

    Returns: the number of different trials recorded so far. Each of them is another opportunity for a difference that
    is significant by chance.
    """
    indices: list[int] = study.user_attrs.get(EVALUATED_ON_TEST, [])
    if best.index not in indices:
        indices = [*indices, best.index]
        study.set_user_attr(EVALUATED_ON_TEST, indices)
    return len(indices)


def _recipe(index: int, values: Mapping[str, Any], baseline: train.Params) -> train.Params:
    """The recipe of a trial; the first one is the baseline, without the rounding of `recipe_of`."""
    return baseline if index == 0 else recipe_of(values, baseline)


@contextmanager
def _naming(file: Path, *also: type[Exception]) -> Iterator[None]:
    """Makes one sentence of the errors of the database, whichever library raises them."""
    import optuna
    import sqlalchemy.exc

    errors: tuple[type[Exception], ...] = (
        sqlalchemy.exc.SQLAlchemyError,
        optuna.exceptions.StorageInternalError,
        *also,
    )
    try:
        yield
    except errors as error:
        reason: BaseException = error
        # The database's own words are those of the first error.
        while (earlier := getattr(reason, "orig", None) or reason.__cause__) is not None:
            reason = earlier
        advice = "make room and make it writable, or move its folder away, which begins a new search"
        raise BeamlineError(f"{file} cannot be used ({str(reason).splitlines()[0]}): {advice}") from error


@contextmanager
def _exclusive(folder: Path) -> Iterator[None]:
    try:
        with locked(folder, fcntl.LOCK_EX | fcntl.LOCK_NB):
            yield
    except BlockingIOError:
        raise BeamlineError(f"another search uses {folder}: wait until it has finished") from None
