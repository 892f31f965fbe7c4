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
from urllib.parse import unquote, urlsplit, urlunsplit

from serving.codec import FormatError, read, to_json
from serving.errors import BeamlineError
from serving.files import replace_json

if TYPE_CHECKING:
    from mlflow import MlflowClient

T = TypeVar("T")

TRACKING, REGISTRY, EXPERIMENT = "MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI", "MLFLOW_EXPERIMENT_NAME"
SQLITE = "sqlite:///"
TRACKING_STATE = "tracking.json"
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
        uri: the URI of the tracking server.
        registry_uri: the URI of the model registry.
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
        artifacts: URI of the files of a new experiment; None if the server decides.
    """

    uri: str
    registry_uri: str
    experiment: str
    artifacts: str | None = None

    def state(self, followed: int = 0) -> TrackingState:
        """The tracking state of a model on this server, without credentials."""
        uri, registry_uri = without_credentials(self.uri), without_credentials(self.registry_uri)
        return TrackingState(uri, registry_uri, self.experiment, followed)

    @property
    def has_credentials(self) -> bool:
        """Whether a URI has parts that the tracking state must not have."""
        state = self.state()
        return (state.uri, state.registry_uri) != (self.uri, self.registry_uri)

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


def without_credentials(uri: str) -> str:
    """A URI without user, password and query; a URI without a host, such as SQLite's, is unchanged."""
    parts = urlsplit(uri)
    if not parts.netloc:
        return uri
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def configured_server(runs: Path, model: str) -> TrackingServer:
    """The server that MLflow's environment variables name, or a database in the folder of runs.

    MLflow's own default is a database in the working directory, which is not the same for each cron job.
    """
    folder, given = runs.resolve(), os.environ.get(TRACKING)
    uri = absolute(given) if given else _sqlite(folder / "mlflow.db")
    registry_uri = absolute(os.environ.get(REGISTRY) or uri)
    artifacts = None if given else (folder / "mlflow").as_uri()
    return TrackingServer(uri, registry_uri, os.environ.get(EXPERIMENT) or model, artifacts)


def remembered_server(state: TrackingState) -> TrackingServer:
    """The server of a model's tracking state, with the credentials of the environment if it names the same server.

    Raises:
        BeamlineError: the state names a database file that does not exist; MLflow would create a new one.
    """
    for uri in (state.uri, state.registry_uri):
        if uri.startswith(SQLITE) and not Path(unquote(uri.removeprefix(SQLITE))).is_file():
            raise BeamlineError(f"{uri} does not exist any more")
    return TrackingServer(_with_credentials(state.uri), _with_credentials(state.registry_uri), state.experiment)


def absolute(uri: str) -> str:
    """A URI that does not depend on the working directory, as SQLite's relative ones do."""
    path = uri.removeprefix(SQLITE)
    if path == uri or path.startswith(("/", ":")) or not path:
        return uri
    return f"{_sqlite(Path.cwd())}/{path}"


def _sqlite(path: Path) -> str:
    """The URI of a file. MLflow also creates a folder with the quoted name, so only what must be quoted is quoted."""
    return SQLITE + str(path).replace("%", "%25").replace("?", "%3F").replace("#", "%23")


def _with_credentials(uri: str) -> str:
    """The environment's URI of the same server, which can have credentials, or the URI itself."""
    given = (absolute(os.environ.get(name, "")) for name in (TRACKING, REGISTRY))
    return next((known for known in given if known and without_credentials(known) == uri), uri)


def connect(server: TrackingServer) -> MlflowClient:
    """A client of a server; it connects to a database at once.

    Raises:
        BeamlineError: MLflow, or a package that it needs for this URI, is not installed.
        mlflow.exceptions.MlflowException: MLflow does not support the URI.
    """
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    try:
        from mlflow import MlflowClient

        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.ERROR)
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
