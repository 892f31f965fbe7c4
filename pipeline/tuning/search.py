"""Config -> the data of a search, prepared as a run does; study + data -> trials, until the budget is used."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from components import train
from components.artifacts.examples import Examples
from components.artifacts.preprocessing import Transform
from components.train.fitting import split_rows
from components.train.hold_out import describe_missing
from pipeline.definition import pipeline
from pipeline.engine.execute import Execution
from pipeline.engine.outcome import Outcomes, log_outcome
from pipeline.engine.plan import complete, plan
from pipeline.engine.store import Store
from pipeline.settings.config import Config
from pipeline.tuning.study import Trial, finish_trial, finished_trials, next_trial, study_id
from pipeline.tuning.trials import train_trial
from serving.errors import BeamlineError

if TYPE_CHECKING:
    import optuna

log = logging.getLogger("beamline.tune")


@dataclass(frozen=True)
class SearchData:
    """The inputs of every trial, and the name of the study, which follows from them, the baseline and the space."""

    study: str
    examples: Examples
    transform: Transform


def run_data_steps(config: Config, store: Store, force: bool) -> Outcomes:
    """The outcomes of the steps before training. Executes those that are not cached, or all if `force` is set."""
    steps, context = tuple(pipeline(config)[:4]), config.context()
    outcomes = {} if force else plan(steps, store, context)
    for outcome in outcomes.values():
        log_outcome(outcome)
    return complete(
        steps, outcomes, store, Execution(context, config.beam, force, places=config.places(promotes=False))
    )


def load_search_data(config: Config, store: Store, outcomes: Outcomes) -> SearchData:
    """Loads the artifacts of the steps before training, which have passed."""
    training = pipeline(config)[4]
    digests = {name: str(outcomes[source.name].sha256) for name, source in training.inputs.items()}
    return SearchData(
        study=study_id(training.key(training.parts(digests, {}))),
        examples=Examples.load(store.payload(outcomes["ingest"].artifact_name)),
        transform=Transform.load(store.payload(outcomes["transform"].artifact_name)),
    )


@dataclass(frozen=True)
class Budget:
    """When a search ends.

    Attributes:
        trials: number of finished trials, those of earlier calls included.
        seconds: no trial starts after this time; None means no limit.
    """

    trials: int
    seconds: float | None


def search(
    study: optuna.Study, baseline: train.Params, data: tuple[Examples, Transform], budget: Budget, folder: Path
) -> list[Trial]:
    """Runs trials until the budget is used, and returns all finished trials.

    Args:
        study: may have trials of earlier calls.
        baseline: the recipe of the first trial; has the parameters that the search does not vary.
        data: only the training split is read.
        budget: when to stop.
        folder: the study's, for temporary files.

    Raises:
        BeamlineError: the training of the first trial failed; the others are compared with it.
    """
    started = time.monotonic()
    if (missing := describe_missing(split_rows(data[0], baseline), data[0].class_names)) is not None:
        log.warning("%s", missing)
    finished = finished_trials(study, baseline)
    if finished:
        event = {"event": "resumed", "trials": len(finished)}
        log.info("%d trials are already finished", len(finished), extra={"event": event})
    while len(finished) < budget.trials and (budget.seconds is None or time.monotonic() - started < budget.seconds):
        trial, recipe = next_trial(study, baseline, baseline.seed)
        accuracy, reason = train_trial(trial, recipe, *data, folder / "running")
        if accuracy is None and not finished:
            raise BeamlineError(f"the first trial, which trains the preset itself, failed: {reason}")
        finish_trial(study, trial, accuracy, reason)
        finished = finished_trials(study, baseline)
        _log_trial(finished, budget)
    return finished


def best_trial(trials: Sequence[Trial]) -> Trial:
    """The trial with the highest accuracy; if equal, the first."""
    return max(trials, key=lambda trial: (trial.accuracy or 0.0, -trial.index))


def describe_recipe(recipe: train.Params) -> str:
    """The parameters that the search varies, on one line."""
    hidden = " ".join(map(str, recipe.hidden)) or "none"
    return (
        f"hidden {hidden}, {recipe.hidden_activation}, dropout {recipe.dropout:g}, "
        f"learning rate {recipe.learning_rate:g}{' cosine' if recipe.decay == 'cosine' else ''}, "
        f"batch {recipe.batch_size}, {recipe.epochs} epochs"
    )


def _log_trial(finished: Sequence[Trial], budget: Budget) -> None:
    trial, best = finished[-1], best_trial(finished)
    accuracy = "pruned" if trial.accuracy is None else f"{trial.accuracy:.4f}"
    values = asdict(trial)
    values["why"] = values.pop("reason")
    log.info(
        "trial %2d of %d  %-6s  %5.1f s  %s%s",
        trial.index + 1,
        budget.trials,
        accuracy,
        trial.seconds,
        describe_recipe(trial.recipe),
        f" ({trial.reason})" if trial.reason else "  the best so far" * (trial is best and trial.index > 0),
        extra={"event": {"event": "trial", **values, "trials": budget.trials, "best": best.index}},
    )
