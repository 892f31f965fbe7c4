"""A finished run, or a promotion -> MLflow: logs the run, and moves the alias to the version that serves."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.tracking.addresses import sqlite_file, without_credentials
from pipeline.tracking.server import (
    TRACKING,
    TrackingServer,
    TrackingState,
    call_within,
    configured_server,
    connect,
    read_tracking_state,
    remembered_server,
    write_tracking_state,
)
from pipeline.tracking.tracking_file import TRACKING_STATE
from serving.errors import BeamlineError, InputError
from serving.locks import locked
from serving.process.program import PIPELINE
from serving.registry.registry import Registry

if TYPE_CHECKING:
    from mlflow import MlflowClient

log = logging.getLogger("beamline.tracking")

# Time limits: to move the alias, during which a rollback waits; to connect before a run; to log a run.
ALIAS_SECONDS = 20.0
CONNECT_SECONDS = 20.0
LOG_SECONDS = 300.0


def require_tracker(runs: Path, model: str) -> None:
    """Checks MLflow before a run, so that an error does not show only at the end.

    Raises:
        InputError: MLflow cannot use the URI that the environment gives, or the database, which exists already.
        BeamlineError: MLflow is not installed.
    """
    if (name := missing_package()) is not None:
        raise BeamlineError(f"--track mlflow: {name} is not installed: pip install '.[mlflow]' in Beamline's folder")
    server = configured_server(runs, model)
    file = sqlite_file(server.uri)
    if not os.environ.get(TRACKING) and file is not None and not file.exists():
        return
    try:
        call_within(CONNECT_SECONDS, lambda: connect(server))
    except BeamlineError as error:
        raise InputError(f"--track mlflow: {error}") from error
    except Exception as error:
        raise InputError(
            f"{TRACKING} {without_credentials(server.uri)} cannot be used ({on_one_line(server, error)}): set it to "
            f"the URI of a running MLflow server, or unset it to use {runs / 'mlflow.db'}"
        ) from error


def missing_package() -> str | None:
    """The first package of the extra `mlflow` that is not installed; None if all are. MLflow is not imported."""
    return next((name for name in ("mlflow", "sqlalchemy", "alembic") if find_spec(name) is None), None)


def track_run(runs: Path, models: Path, model: str, run: str) -> None:
    """Logs a finished run, and stores the server in the model's folder; an error is only a warning."""
    from pipeline.engine.store import Store
    from pipeline.records.run_history import RunHistory
    from pipeline.tracking.run_log import log_run

    server = configured_server(runs, model)
    folder, target = models / model, f"{without_credentials(server.uri)}, experiment {server.experiment}"

    def send() -> None:
        client, mlflow_run = connect(server), None
        try:
            mlflow_run = log_run(client, server, RunHistory(runs).read(run), Store(runs))
            event = {"event": "tracked", "tracker": "mlflow", "uri": without_credentials(server.uri), "run": mlflow_run}
            log.info("tracked: %s, run %s", target, mlflow_run, extra={"event": event})
        finally:
            # The alias follows the version that serves, also if the run cannot be logged.
            if folder.is_dir():
                _move_alias(client, server, server.state(runs, folder), folder, mlflow_run)

    try:
        call_within(LOG_SECONDS, send)
    except Exception as error:
        log.debug("%s", server.redact(traceback.format_exc()))
        log.warning(
            "WARNING: run %s was not logged completely to MLflow at %s: %s; fix that and repeat the command, which "
            "logs the run from the cached steps",
            *(run, target, on_one_line(server, error)),
        )
    file = folder / TRACKING_STATE
    if server.has_credentials and file.exists():
        log.info(
            "tracked: the MLflow password is not stored in %s: set the same %s when you run promote or rollback",
            *(file, TRACKING),
        )


def update_alias(models: Path, model: str) -> str | None:
    """Moves the alias of a tracked model to the version that serves, if it is behind; other models need no MLflow.

    The version that serves does not depend on the result.

    Returns:
        A warning if the alias could not be moved; None otherwise.
    """
    folder = models / model
    server: TrackingServer | None = None
    try:
        state = read_tracking_state(folder)
        promoted = None if state is None else Registry(models).promoted(model)
        if state is None or promoted is None or promoted.event.sequence == state.followed:
            return None
        remembered = server = remembered_server(state, folder)
        call_within(ALIAS_SECONDS, lambda: _move_alias(connect(remembered), remembered, state, folder))
        return None
    except Exception as error:
        log.debug("%s", traceback.format_exc() if server is None else server.redact(traceback.format_exc()))
        return (
            f"WARNING: MLflow's alias of {model} was not moved to the version that serves: "
            f"{on_one_line(server, error)}. The version above serves nevertheless. When MLflow answers again, the "
            f"next run, promote or rollback of {model} moves the alias. To change the MLflow server, run "
            f"`{PIPELINE} run --track mlflow` for this model, which replaces {folder / TRACKING_STATE}"
        )


def update_alias_or_warn(models: Path, model: str) -> None:
    """Moves the alias of a tracked model, and prints a warning to standard error if that fails."""
    sys.stdout.flush()
    if (warning := update_alias(models, model)) is not None:
        print(warning, file=sys.stderr)


def _move_alias(
    client: MlflowClient, server: TrackingServer, state: TrackingState, folder: Path, run: str | None = None
) -> None:
    """Reads the pointer and moves the alias under a lock, so that the last process sees the last promotion event."""
    from pipeline.tracking.model_versions import DIGEST, move_alias

    with locked(folder / ".tracking.lock"):
        promoted = Registry(folder.parent).promoted(folder.name)
        if promoted is None:
            return
        # Written before the alias moves: if that fails, the next command tries again.
        write_tracking_state(folder, replace(state, followed=0))
        tagged = None if run is None else client.get_run(run).data.tags.get(DIGEST)
        move_alias(client, server, promoted, run if tagged == promoted.sha256 else None)
        write_tracking_state(folder, replace(state, followed=promoted.event.sequence))


def on_one_line(server: TrackingServer | None, error: Exception) -> str:
    """The message of an error on one line, without credentials."""
    message = " ".join(str(error).split()) or type(error).__name__
    message = message if server is None else server.redact(message)
    # Beamline's own messages end with what to do.
    return message if len(message) <= 300 or isinstance(error, BeamlineError) else f"{message[:300]} …"
