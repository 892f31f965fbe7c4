"""A run -> MLflow: its figures and pictures as a run of the model's experiment."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from components.artifacts.evaluation import Evaluation
from components.artifacts.model import Model
from components.artifacts.verification import Verification
from pipeline.history import Record
from pipeline.kept import Kind, kept, lack
from pipeline.store import Store
from pipeline.tracking.figures import Figures, figures_of
from pipeline.tracking.server import Place

if TYPE_CHECKING:
    from mlflow import MlflowClient

Item = TypeVar("Item")

# What MLflow takes at once.
BATCH = 100


def log_run(client: MlflowClient, place: Place, record: Record, store: Store) -> str:
    """Logs a run with all that it came to. Returns: MLflow's number of it."""
    verification = _made(record, store, "verify", Verification)
    figures = figures_of(
        record, _made(record, store, "train", Model), _made(record, store, "evaluate", Evaluation), verification
    )
    name = f"{record.config['model']} {record.run}"
    begun = client.create_run(experiment_id(client, place), tags=dict(figures.tags), run_name=name)
    run = str(begun.info.run_id)
    _log_figures(client, run, figures)
    for picture in sorted((store.root / "reports" / record.run).glob("*.png")):
        client.log_artifact(run, str(picture), "pictures")
    card = store.root / "reports" / f"{record.run}.html"
    if card.is_file():
        client.log_artifact(run, str(card))
    client.set_terminated(run, "FAILED" if record.verdict == "failed" else "FINISHED")
    return run


def experiment_id(client: MlflowClient, place: Place) -> str:
    """MLflow's number of the place's experiment, which is made where there is none."""
    known = client.get_experiment_by_name(place.experiment)
    if known is not None:
        return str(known.experiment_id)
    return str(client.create_experiment(place.experiment, place.artifacts))


def _made(record: Record, store: Store, step: str, kind: type[Kind]) -> Kind | None:
    return None if lack(record, step) is not None else kept(record, store, step, kind)


def _log_figures(client: MlflowClient, run: str, figures: Figures) -> None:
    from mlflow.entities import Metric, Param

    now = int(time.time() * 1000)
    metrics = [Metric(name, float(value), now, 0) for name, value in figures.metrics.items()]
    metrics += [
        Metric(name, value, now, number)
        for number, epoch in enumerate(figures.epochs, start=1)
        for name, value in epoch.items()
    ]
    for part in _parts([Param(name, value) for name, value in figures.params.items()]):
        client.log_batch(run, params=part)
    for part in _parts(metrics):
        client.log_batch(run, metrics=part)


def _parts(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    return (items[start : start + BATCH] for start in range(0, len(items), BATCH))
