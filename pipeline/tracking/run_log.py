"""A run -> MLflow: its parameters, metrics, tags, pictures and card, as a run of the model's experiment."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from components.artifacts.evaluation import Evaluation
from components.artifacts.model import Model
from components.artifacts.verification import Verification
from pipeline.engine.outcome import stopping
from pipeline.engine.store import Store
from pipeline.records.run_artifacts import Kind, RunArtifacts
from pipeline.records.run_history import Record
from pipeline.tracking.addresses import sqlite_file, without_credentials
from pipeline.tracking.moved_files import FOLDER_TAG
from pipeline.tracking.server import TRACKING, TrackingServer
from serving.errors import BeamlineError

if TYPE_CHECKING:
    from mlflow import MlflowClient

Item = TypeVar("Item")

# MLflow's limits: of one request, and of one text.
BATCH = 100
PARAM_CHARACTERS = 6000
TAG_CHARACTERS = 5000
# The components with parameters.
COMPONENTS = ("ingest", "validate", "transform", "train", "evaluate", "verify", "promote")


class DeletedExperimentError(BeamlineError):
    """The experiment was deleted in MLflow, and can be restored."""


@dataclass(frozen=True)
class LoggedMetrics:
    """What MLflow shows of a run: parameters such as `train.epochs`, metrics of the test set and each epoch, tags."""

    params: Mapping[str, str]
    metrics: Mapping[str, float]
    epochs: tuple[Mapping[str, float], ...]
    tags: Mapping[str, str]


def log_run(client: MlflowClient, server: TrackingServer, record: Record, store: Store) -> str:
    """Logs a run and what it made. Returns: MLflow's id of the run. Raises: DeletedExperimentError."""
    artifacts = RunArtifacts(record, store)
    logged = collect_metrics(
        record,
        _artifact(artifacts, "train", Model),
        _artifact(artifacts, "evaluate", Evaluation),
        _artifact(artifacts, "verify", Verification),
    )
    title = f"{record.config['model']} {record.run}"
    created = client.create_run(experiment_id(client, server), tags=dict(logged.tags), run_name=title)
    run = str(created.info.run_id)
    _log_metrics(client, run, logged)
    for picture in sorted((store.root / "reports" / record.run).glob("*.png")):
        client.log_artifact(run, str(picture), "pictures")
    card = store.root / "reports" / f"{record.run}.html"
    if card.is_file():
        client.log_artifact(run, str(card))
    client.set_terminated(run, "FAILED" if record.verdict == "failed" else "FINISHED")
    return run


def experiment_id(client: MlflowClient, server: TrackingServer) -> str:
    """MLflow's id of the server's experiment, which is created if it does not exist. Raises: DeletedExperimentError."""
    experiment = client.get_experiment_by_name(server.experiment)
    if experiment is None:
        file = sqlite_file(server.uri)
        tags = None if file is None else {FOLDER_TAG: str(file.resolve().parent)}
        return str(client.create_experiment(server.experiment, server.artifacts, tags))
    if experiment.lifecycle_stage == "deleted":
        raise DeletedExperimentError(_deleted(server, experiment.experiment_id))
    return str(experiment.experiment_id)


def _deleted(server: TrackingServer, experiment: str) -> str:
    command = f"mlflow experiments restore --experiment-id {experiment}"
    if server.has_credentials:
        remedy = f"`{command}` with the same {TRACKING}"
    else:
        remedy = f"`{TRACKING}={shlex.quote(without_credentials(server.uri))} {command}`"
    return f"experiment {server.experiment} was deleted in MLflow: restore it with {remedy}"


def _artifact(artifacts: RunArtifacts, step: str, kind: type[Kind]) -> Kind | None:
    return artifacts.load(step, kind) if step in artifacts.digests else None


def _log_metrics(client: MlflowClient, run: str, logged: LoggedMetrics) -> None:
    from mlflow.entities import Metric, Param

    now = int(time.time() * 1000)
    metrics = [Metric(name, float(value), now, 0) for name, value in logged.metrics.items()]
    metrics += [
        Metric(name, value, now, number)
        for number, epoch in enumerate(logged.epochs, start=1)
        for name, value in epoch.items()
    ]
    for batch in _batches([Param(name, value) for name, value in logged.params.items()]):
        client.log_batch(run, params=batch)
    for batch in _batches(metrics):
        client.log_batch(run, metrics=batch)


def _batches(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    return (items[start : start + BATCH] for start in range(0, len(items), BATCH))


def collect_metrics(
    record: Record, model: Model | None, evaluation: Evaluation | None, verification: Verification | None
) -> LoggedMetrics:
    """Collects what MLflow shows of a run, which may have made only some of the artifacts."""
    epochs = () if model is None else model.history
    tags = _tags(record, evaluation, verification)
    return LoggedMetrics(
        params=dict(_params(record.config)),
        metrics=_metrics(record, evaluation, verification),
        epochs=tuple(
            {name if name.startswith("val_") else f"train_{name}": value for name, value in epoch.items()}
            for epoch in epochs
        ),
        tags={name: truncate(value, TAG_CHARACTERS) for name, value in tags.items()},
    )


def truncate(text: str, characters: int) -> str:
    """The text, without its end if it has more characters."""
    return text if len(text) <= characters else text[: characters - 2] + " …"


def _params(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "model", config["model"]
    for component in COMPONENTS:
        for name, value in config[component].items():
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            # MLflow refuses an empty parameter.
            if text:
                yield f"{component}.{name}", truncate(text, PARAM_CHARACTERS)


def _metrics(record: Record, evaluation: Evaluation | None, verification: Verification | None) -> dict[str, float]:
    metrics = {"run_seconds": record.seconds}
    if evaluation is not None:
        lower, upper = evaluation.interval
        metrics |= {"accuracy": evaluation.accuracy, "accuracy_lower": lower, "accuracy_upper": upper}
        metrics |= {"loss": evaluation.loss, "calibration_error": evaluation.calibration_error}
        metrics["test_rows"] = evaluation.rows
    if verification is not None and (measured := verification.measured()) is not None:
        metrics |= vars(measured)
    return metrics


def _tags(record: Record, evaluation: Evaluation | None, verification: Verification | None) -> dict[str, str]:
    stopped = stopping({outcome.name: outcome for outcome in record.steps})
    if stopped is None:
        reasons = record.steps[-1].reasons
    else:
        reasons = tuple(f"{stopped.name}: {reason}" for reason in stopped.reasons)
    tags = {
        "beamline.run": record.run,
        "beamline.verdict": record.verdict,
        "beamline.reasons": "\n".join(reasons),
        "beamline.dataset": record.config["ingest"]["dataset"],
        "beamline.preset": record.config["train"]["preset"],
    }
    tags |= {f"beamline.{step.name}_sha256": step.sha256 for step in record.steps if step.sha256 is not None}
    if evaluation is not None:
        tags |= {"beamline.weights_sha256": evaluation.weights_sha256, "beamline.test_sha256": evaluation.test_sha256}
    if verification is not None:
        tags["beamline.bundle_sha256"] = verification.bundle_sha256
    return tags
