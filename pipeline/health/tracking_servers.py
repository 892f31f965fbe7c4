"""The MLflow servers of the project -> findings: whether a run, promote or rollback can use them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from pipeline.health.finding import Finding
from pipeline.tracking.addresses import sqlite_file, without_credentials
from pipeline.tracking.server import (
    TRACKING,
    TrackingServer,
    call_within,
    configured_server,
    open_client,
    read_tracking_state,
    remembered_server,
)
from pipeline.tracking.track import CONNECT_SECONDS, missing_package, on_one_line
from serving.errors import BeamlineError
from serving.files import entries
from serving.registry.registry import Registry

SUBJECT = "tracking"


def tracking_findings(runs: Path, registry: Registry) -> Iterator[Finding]:
    """Connects to each server that is used; nothing is checked, and MLflow is not imported, if there is none.

    Args:
        runs: the folder of runs, which has the default database.
        registry: its tracked models name their servers.
    """
    folders = [folder for folder in entries(registry.root) if _is_tracked(folder)]
    configured = configured_server(runs, model="")
    default = sqlite_file(configured.uri)
    is_used = bool(os.environ.get(TRACKING)) or (default is not None and default.is_file())
    if not folders and not is_used:
        return
    if (missing := missing_package()) is not None:
        message = f"{missing} is not installed, so nothing is tracked: pip install '.[mlflow]' in Beamline's folder"
        yield Finding("note", SUBJECT, message)
        return
    servers = {(configured.uri, configured.registry_uri): configured} if is_used else {}
    for folder in folders:
        try:
            if (state := read_tracking_state(folder)) is not None:
                server = remembered_server(state, folder)
                servers[server.uri, server.registry_uri] = server
        except BeamlineError as error:
            message = f"{error}: restore it, or run {folder.name} once with --track mlflow, which replaces it"
            yield Finding("fix", SUBJECT, message)
    yield from map(_server_finding, servers.values())


def _is_tracked(folder: Path) -> bool:
    try:
        return read_tracking_state(folder) is not None
    except BeamlineError:
        # The checks of the registry report it.
        return False


def _server_finding(server: TrackingServer) -> Finding:
    shown = without_credentials(server.uri)
    try:
        call_within(CONNECT_SECONDS, lambda: _request(server))
    except BeamlineError as error:
        return Finding("fix", SUBJECT, str(error))
    except Exception as error:
        first = "start it" if sqlite_file(server.uri) is None else "restore it"
        remedy = f"{first}, or run the model once with --track mlflow and another {TRACKING}"
        return Finding("fix", SUBJECT, f"MLflow at {shown} cannot be used ({on_one_line(server, error)}): {remedy}")
    return Finding("ok", SUBJECT, f"MLflow at {shown} can be used")


def _request(server: TrackingServer) -> None:
    """Asks for the first experiment and the first model, and changes nothing."""
    client = open_client(server)
    client.search_experiments(max_results=1)
    client.search_registered_models(max_results=1)
