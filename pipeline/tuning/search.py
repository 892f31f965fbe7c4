"""The trials of a search, one after the other, a line for each, until they are as many as asked or time is up."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from components import train
from components.artifacts.examples import Examples
from components.artifacts.transform import Transform
from pipeline.tuning.study import Trial, ask, finished
from pipeline.tuning.trials import try_recipe
from serving.errors import BeamlineError

if TYPE_CHECKING:
    import optuna

log = logging.getLogger("beamline.tune")


@dataclass(frozen=True)
class Bounds:
    """When a search ends.

    Attributes:
        trials: that are finished, those of an earlier attempt counted.
        seconds: after which no further trial begins; None sets no limit.
    """

    trials: int
    seconds: float | None


def search(
    study: optuna.Study, base: train.Params, data: tuple[Examples, Transform], bounds: Bounds, folder: Path
) -> list[Trial]:
    """Makes trials.

    Args:
        study: which knows those of an earlier attempt.
        base: the recipe of the first trial; what is not searched is the same in all.
        data: of which only the training split is read.
        bounds: when it ends.
        folder: the study's, for what is written on the way.

    Returns:
        All finished trials.

    Raises:
        BeamlineError: the first one, which all others are held against, cannot be trained.
    """
    started = time.monotonic()
    done = finished(study, base)
    if done:
        log.info(
            "%d trials are finished already", len(done), extra={"event": {"event": "resumed", "trials": len(done)}}
        )
    while len(done) < bounds.trials and (bounds.seconds is None or time.monotonic() - started < bounds.seconds):
        trial, recipe = ask(study, base, base.seed)
        accuracy, why = try_recipe(trial, recipe, *data, folder / "running")
        if accuracy is None and not done:
            raise BeamlineError(f"the recipe that the search begins with cannot be judged: {why}")
        trial.set_user_attr("why", why)
        _close(study, trial, accuracy)
        done = finished(study, base)
        _tell(done, bounds)
    return done


def best_of(done: Sequence[Trial]) -> Trial:
    """The trial with the highest accuracy; of equals, the first."""
    return max(done, key=lambda trial: (trial.accuracy or 0.0, -trial.index))


def in_words(recipe: train.Params) -> str:
    """What is searched of a recipe, in short."""
    hidden = " ".join(map(str, recipe.hidden)) or "none"
    return (
        f"hidden {hidden}, {recipe.hidden_activation}, dropout {recipe.dropout:g}, "
        f"learning rate {recipe.learning_rate:g}{' cosine' if recipe.decay == 'cosine' else ''}, "
        f"batch {recipe.batch_size}, {recipe.epochs} epochs"
    )


def _close(study: optuna.Study, trial: optuna.Trial, accuracy: float | None) -> None:
    from optuna.trial import TrialState

    if accuracy is None:
        study.tell(trial, state=TrialState.PRUNED)
    else:
        study.tell(trial, accuracy)


def _tell(done: Sequence[Trial], bounds: Bounds) -> None:
    trial, best = done[-1], best_of(done)
    accuracy = "pruned" if trial.accuracy is None else f"{trial.accuracy:.4f}"
    event = {"event": "trial", **asdict(trial), "trials": bounds.trials, "best": best.index}
    log.info(
        "trial %2d of %d  %-6s  %5.1f s  %s%s",
        trial.index + 1,
        bounds.trials,
        accuracy,
        trial.seconds,
        in_words(trial.recipe),
        f" ({trial.why})" if trial.why else "  the best so far" * (trial is best and trial.index > 0),
        extra={"event": event},
    )
