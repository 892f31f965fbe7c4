"""server: the tracking state: it is read back, has no credentials, and does not disturb the registry."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.tracking.addresses import sqlite_uri, without_credentials
from pipeline.tracking.server import (
    TrackingServer,
    TrackingState,
    read_tracking_state,
    remembered_server,
    write_tracking_state,
)
from serving.registry.server_files import server_files, up_to_date_version

NAMES = st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1)


@given(NAMES, NAMES, NAMES, st.integers(1, 65535), NAMES)
def test_only_user_password_and_query_are_removed(user, password, host, port, path):
    for scheme in ("https", "postgresql"):
        uri = f"{scheme}://{user}:{password}@{host}:{port}/{path}?password={password}"
        assert without_credentials(uri) == f"{scheme}://{host}:{port}/{path}"


@pytest.mark.parametrize(
    "uri", ["sqlite:////srv/a@b/mlflow.db", "databricks", "databricks://profile", "http://host:5000"]
)
def test_uri_without_credentials_is_unchanged(uri):
    assert without_credentials(uri) == uri


def test_state_is_read_back_and_has_no_credentials(tmp_path):
    server = TrackingServer("https://alice:hunter2@host/x", "postgresql://bob:hunter3@host/db?sslmode=require", "tiny")
    write_tracking_state(tmp_path, replace(server.state(tmp_path / "runs", tmp_path), followed=3))
    assert read_tracking_state(tmp_path) == TrackingState("https://host/x", "postgresql://host/db", "tiny", 3)
    assert "hunter" not in (tmp_path / "tracking.json").read_text()
    assert server.redact("to https://alice:hunter2@host/x failed") == "to https://host/x failed"


@pytest.mark.parametrize("file", ["runs/mlflow.db", "mlflow.db", "out/runs #1/x%41.db"])
@pytest.mark.parametrize("models", ["models", "out/models"])
def test_copy_of_a_project_has_the_address_of_its_own_database(tmp_path, file, models):
    project, copy = tmp_path / "project", tmp_path / "a" / "copy"
    database, folder = project / file, project / models / "tiny"
    for made in (database.parent, folder):
        made.mkdir(parents=True)
    database.touch()
    uri = sqlite_uri(database)
    write_tracking_state(folder, TrackingServer(uri, uri, "tiny").state(project / "runs", folder))
    shutil.copytree(project, copy)
    assert remembered_server(read_tracking_state(folder), folder).uri == uri
    copied = copy / models / "tiny"
    found = remembered_server(read_tracking_state(copied), copied)
    assert (found.uri, found.registry_uri) == (sqlite_uri(copy / file), sqlite_uri(copy / file))


@pytest.mark.parametrize(("runs", "models"), [("project/runs", "project/models"), ("/absent", "project/models")])
def test_database_that_is_not_in_the_project_stays_as_given(tmp_path, runs, models):
    uri = sqlite_uri(tmp_path / "shared" / "mlflow.db")
    state = TrackingServer(uri, "http://host:5000", "tiny").state(tmp_path / runs, tmp_path / models / "tiny")
    assert (state.uri, state.registry_uri) == (uri, "http://host:5000")


def test_registry_ignores_the_file(registry):
    before = server_files(registry, "tiny")
    write_tracking_state(registry.root / "tiny", TrackingState("https://host", "https://host", "tiny"))
    assert registry.models() == ["tiny"]
    assert server_files(registry, "tiny") == before
    assert up_to_date_version(registry, "tiny", registry.promoted("tiny").sha256).version == 2
