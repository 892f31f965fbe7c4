"""Where MLflow is, and a client of it that gives up in time."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import unquote, urlsplit

from pipeline.tracking.memory import Memory, without_credentials
from serving.errors import BeamlineError

if TYPE_CHECKING:
    from mlflow import MlflowClient

Result = TypeVar("Result")

TRACKING, REGISTRY, EXPERIMENT = "MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI", "MLFLOW_EXPERIMENT_NAME"
SQLITE = "sqlite:///"
# Where the user sets none: MLflow's own would be 120 seconds, seven times again. And it would report home.
SETTINGS = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}


@dataclass(frozen=True)
class Place:
    """Where MLflow is.

    Attributes:
        uri: the tracking server's, credentials included.
        registry_uri: that of the registry of models, credentials included.
        experiment: name of the experiment that the model's runs are in.
        artifacts: where a new experiment keeps its files; None where the server decides.
    """

    uri: str
    registry_uri: str
    experiment: str
    artifacts: str | None = None

    def memory(self, followed: int = 0) -> Memory:
        """What may be written down of it."""
        return Memory(without_credentials(self.uri), without_credentials(self.registry_uri), self.experiment, followed)

    def censored(self, words: str) -> str:
        """Words without the credentials: MLflow's own sentences have whole addresses."""
        for uri in (self.uri, self.registry_uri):
            if secret := urlsplit(uri).netloc.rpartition("@")[0]:
                words = words.replace(f"{secret}@", "")
        return words


def place_of(runs: Path, model: str) -> Place:
    """Where the user says that MLflow is, as MLflow has it; else a database beside the runs.

    MLflow's own default is a database where the command was started, which for a nightly run is anywhere.
    """
    experiment = os.environ.get(EXPERIMENT) or model
    uri = os.environ.get(TRACKING)
    if uri:
        uri = absolute(uri)
        return Place(uri, absolute(os.environ.get(REGISTRY) or uri), experiment)
    folder = runs.resolve()
    uri = _sqlite(folder / "mlflow.db")
    return Place(uri, absolute(os.environ.get(REGISTRY) or uri), experiment, (folder / "mlflow").as_uri())


def place_again(memory: Memory) -> Place:
    """The place that a model's folder remembers, with the credentials of the environment where they are for it.

    Raises:
        BeamlineError: it is a database that is no longer there; MLflow would make a new one.
    """
    for uri in (memory.uri, memory.registry_uri):
        if uri.startswith(SQLITE) and not Path(unquote(uri.removeprefix(SQLITE))).is_file():
            raise BeamlineError(f"{uri} is gone")
    uri, registry_uri = (_known(uri) for uri in (memory.uri, memory.registry_uri))
    return Place(uri, registry_uri, memory.experiment)


def absolute(uri: str) -> str:
    """An address that means the same wherever it is used: SQLite's may be below the working folder."""
    path = uri.removeprefix(SQLITE)
    if path == uri or path.startswith(("/", ":")) or not path:
        return uri
    return f"{_sqlite(Path.cwd())}/{path}"


def _sqlite(path: Path) -> str:
    """The address of a path. MLflow makes a folder of the quoted name too, so nothing is quoted without need."""
    return SQLITE + str(path).replace("%", "%25").replace("?", "%3F").replace("#", "%23")


def _known(uri: str) -> str:
    """An address as the environment has it, with credentials, where it has this one."""
    given = (absolute(os.environ.get(name, "")) for name in (TRACKING, REGISTRY))
    return next((known for known in given if known and without_credentials(known) == uri), uri)


def connect(place: Place) -> MlflowClient:
    """A client; of a database, connected.

    Raises:
        BeamlineError: MLflow, or what it needs for this address, is not installed.
        mlflow.exceptions.MlflowException: there is no such kind of address.
    """
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    try:
        from mlflow import MlflowClient

        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.ERROR)
        return MlflowClient(place.uri, place.registry_uri)
    except ModuleNotFoundError as error:
        raise BeamlineError(f"{error.name} is not installed: pip install '.[mlflow]' in Beamline's folder") from error


def within(seconds: float, work: Callable[[], Result]) -> Result:
    """What some work comes to, or its exception, if that comes in time: name resolution and databases know no limit.

    Raises:
        TimeoutError: it did not; whatever it does from then on, it does not keep the process.
    """
    future: Future[Result] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    Thread(target=run, daemon=True).start()
    try:
        return future.result(seconds)
    except TimeoutError as error:
        raise error if future.done() else TimeoutError(f"no answer within {seconds:g} seconds") from error
