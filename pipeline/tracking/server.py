"""The environment, or models/<model>/tracking.json -> the MLflow server, and a client that gives up in time."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Literal, TypeVar
from urllib.parse import urlsplit

from pipeline.tracking.addresses import absolute, relative, sqlite_file, sqlite_uri, without_credentials
from pipeline.tracking.moved_files import FILES_FOLDER, follow_database
from pipeline.tracking.schema_version import require_current_schema
from pipeline.tracking.tracking_file import TRACKING_STATE
from serving.codec import FormatError, read, to_json
from serving.errors import BeamlineError
from serving.files import replace_json

if TYPE_CHECKING:
    from mlflow import MlflowClient

T = TypeVar("T")

TRACKING, REGISTRY, EXPERIMENT = "MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI", "MLFLOW_EXPERIMENT_NAME"
# Used unless the user sets them: MLflow's own defaults are a timeout of 120 seconds with 7 retries, and telemetry.
SETTINGS = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}


@dataclass(frozen=True)
class TrackingState:
    """The MLflow server of a model, without credentials.

    Attributes:
        uri: the URI of the tracking server. A database in the project is relative to the model's folder, so that a copy
            of the project has a database of its own.
        registry_uri: the URI of the model registry, likewise.
        experiment: name of the experiment that has the model's runs.
        followed: sequence number of the last promotion event that the alias follows; 0 if there is none.
        tracker: the kind of server.
    """

    uri: str
    registry_uri: str
    experiment: str
    followed: int = 0
    tracker: Literal["mlflow"] = "mlflow"


@dataclass(frozen=True)
class TrackingServer:
    """Where MLflow is.

    Attributes:
        uri: the URI of the tracking server, with credentials.
        registry_uri: the URI of the model registry, with credentials.
        experiment: name of the experiment that has the model's runs.
    """

    uri: str
    registry_uri: str
    experiment: str

    @property
    def artifacts(self) -> str | None:
        """URI of the files of a new experiment: a folder beside a database of SQLite; None if the server decides."""
        file = sqlite_file(self.uri)
        return None if file is None else (file.parent / FILES_FOLDER).as_uri()

    def state(self, runs: Path, folder: Path) -> TrackingState:
        """The tracking state of a model on this server, whose alias follows no promotion event yet.

        Args:
            runs: the folder of runs.
            folder: the model's folder.
        """
        project = Path(os.path.commonpath((runs.resolve(), folder.resolve().parent)))

        def recorded(uri: str) -> str:
            file = sqlite_file(uri)
            # Folders that have only the root in common are not one project.
            if file is None or project == project.parent or not file.resolve().is_relative_to(project):
                return without_credentials(uri)
            return relative(uri, folder)

        return TrackingState(recorded(self.uri), recorded(self.registry_uri), self.experiment)

    @property
    def has_credentials(self) -> bool:
        """Whether a URI has parts that the tracking state must not have."""
        return any(without_credentials(uri) != uri for uri in (self.uri, self.registry_uri))

    def redact(self, text: str) -> str:
        """A text without the credentials: MLflow's own messages have whole URIs."""
        for uri in (self.uri, self.registry_uri):
            if credentials := urlsplit(uri).netloc.rpartition("@")[0]:
                text = text.replace(f"{credentials}@", "")
        return text


def read_tracking_state(folder: Path) -> TrackingState | None:
    """The tracking state in a model's folder; None if the model is not tracked.

    Raises:
        BeamlineError: the file cannot be read.
    """
    file = folder / TRACKING_STATE
    try:
        return read(TrackingState, file)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, FormatError) as error:
        raise BeamlineError(f"{file} cannot be read ({error})") from error


def write_tracking_state(folder: Path, state: TrackingState) -> None:
    """Replaces the tracking state in a model's folder."""
    replace_json(folder / TRACKING_STATE, to_json(state))


def configured_server(runs: Path, model: str) -> TrackingServer:
    """The server that MLflow's environment variables name, or a database in the folder of runs.

    MLflow's own default is a database in the working directory, which is not the same for each cron job.
    """
    uri = absolute(os.environ.get(TRACKING) or sqlite_uri(runs.resolve() / "mlflow.db"), Path.cwd())
    registry_uri = absolute(os.environ.get(REGISTRY) or uri, Path.cwd())
    return TrackingServer(uri, registry_uri, os.environ.get(EXPERIMENT) or model)


def remembered_server(state: TrackingState, folder: Path) -> TrackingServer:
    """The server of the tracking state in a model's folder, with the environment's credentials for the same server.

    Raises:
        BeamlineError: the state names a database file that does not exist; MLflow would create a new one.
    """
    uri, registry_uri = (absolute(recorded, folder) for recorded in (state.uri, state.registry_uri))
    for found in (uri, registry_uri):
        if (file := sqlite_file(found)) is not None and not file.is_file():
            raise BeamlineError(f"{found} does not exist any more")
    return TrackingServer(_with_credentials(uri), _with_credentials(registry_uri), state.experiment)


def _with_credentials(uri: str) -> str:
    """The environment's URI of the same server, which can have credentials, or the URI itself."""
    given = (absolute(os.environ.get(name, ""), Path.cwd()) for name in (TRACKING, REGISTRY))
    return next((known for known in given if known and without_credentials(known) == uri), uri)


def connect(server: TrackingServer) -> MlflowClient:
    """A client of a server that writes beside a database, also after the database was copied or moved.

    Raises: as `open_client`; sqlite3.Error: the database cannot be written.
    """
    client = open_client(server)
    if (file := sqlite_file(server.uri)) is not None:
        follow_database(file, server.experiment)
    return client


def open_client(server: TrackingServer) -> MlflowClient:
    """A client of a server; it connects to a database at once.

    Raises:
        BeamlineError: MLflow, or a package that it needs for this URI, is not installed; or the database has the schema
            of another MLflow.
        mlflow.exceptions.MlflowException: MLflow does not support the URI.
    """
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    try:
        from mlflow import MlflowClient

        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.ERROR)
        for uri in {server.uri, server.registry_uri}:
            require_current_schema(uri)
        return MlflowClient(server.uri, server.registry_uri)
    except ModuleNotFoundError as error:
        raise BeamlineError(f"{error.name} is not installed: pip install '.[mlflow]' in Beamline's folder") from error


def call_within(seconds: float, call: Callable[[], T]) -> T:
    """The result of a call, or its exception, within a time limit: DNS look-ups and databases have none of their own.

    Raises:
        TimeoutError: the call takes longer. It continues in a thread that does not keep the process alive.
    """
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except BaseException as error:
            future.set_exception(error)

    Thread(target=run, daemon=True).start()
    try:
        return future.result(seconds)
    except TimeoutError as error:
        raise error if future.done() else TimeoutError(f"no answer within {seconds:g} seconds") from error
