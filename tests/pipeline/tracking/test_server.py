"""server: which MLflow is used, with which credentials, and for how long a call can take."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.tracking import server
from pipeline.tracking.addresses import absolute
from pipeline.tracking.server import (
    TrackingServer,
    TrackingState,
    call_within,
    configured_server,
    remembered_server,
)
from serving.errors import BeamlineError


def test_credentials_are_those_of_the_environment_if_it_names_the_same_server(registry, monkeypatch):
    state, folder = TrackingState("https://host/x", "https://host/x", "tiny"), registry.root / "tiny"
    assert remembered_server(state, folder).uri == "https://host/x"
    monkeypatch.setenv(server.TRACKING, "https://alice:hunter2@other/x")
    assert remembered_server(state, folder).uri == "https://host/x"
    monkeypatch.setenv(server.TRACKING, "https://alice:hunter2@host/x")
    found = remembered_server(state, folder)
    assert found.uri == found.registry_uri == "https://alice:hunter2@host/x"


def test_server_is_a_database_beside_the_runs_or_the_environments(registry, tmp_path, monkeypatch):
    found = configured_server(Path("odd #1 %"), "tiny")
    assert found.uri == found.registry_uri == f"sqlite:///{tmp_path}/odd %231 %25/mlflow.db"
    assert (found.experiment, found.artifacts) == ("tiny", (tmp_path / "odd #1 %" / "mlflow").as_uri())
    monkeypatch.setenv(server.TRACKING, "sqlite:///here.db")
    monkeypatch.setenv(server.REGISTRY, "https://host")
    monkeypatch.setenv(server.EXPERIMENT, "nightly")
    found = configured_server(Path("runs"), "tiny")
    assert found == TrackingServer(f"sqlite:///{tmp_path}/here.db", "https://host", "nightly")
    assert found.artifacts == (tmp_path / "mlflow").as_uri()
    assert TrackingServer("https://host", "https://host", "tiny").artifacts is None
    assert absolute("sqlite:////srv/x.db", tmp_path) == "sqlite:////srv/x.db"


def test_missing_database_is_not_created_again(tmp_path):
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    with pytest.raises(BeamlineError, match=r"mlflow\.db does not exist any more"):
        remembered_server(TrackingState(uri, uri, "tiny"), tmp_path / "models" / "tiny")
    (tmp_path / "mlflow.db").touch()
    assert remembered_server(TrackingState(uri, uri, "tiny"), tmp_path / "models" / "tiny").uri == uri


def test_call_in_time_gives_its_result_or_its_own_exception():
    def time_out():
        raise TimeoutError("its own")

    assert call_within(60, lambda: 7) == 7
    with pytest.raises(TimeoutError, match="its own"):
        call_within(60, time_out)
