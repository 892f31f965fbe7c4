"""tracking_servers: each MLflow server that is used is tried, with what to do if it cannot be used."""

from __future__ import annotations

import pytest

from pipeline.health import tracking_servers
from pipeline.tracking.server import TRACKING, TrackingState, write_tracking_state
from serving.errors import BeamlineError
from tests.pipeline.health.doctor_output import findings, to_do


class Client:
    def search_experiments(self, max_results):
        return []

    search_registered_models = search_experiments


@pytest.fixture
def opened(healthy_project, monkeypatch):
    """The addresses that were opened; MLflow is installed."""
    found: list[str] = []

    def open_client(server):
        found.append(server.uri)
        return Client()

    monkeypatch.delenv(TRACKING, raising=False)
    monkeypatch.setattr(tracking_servers, "missing_package", lambda: None)
    monkeypatch.setattr(tracking_servers, "open_client", open_client)
    return found


def test_nothing_is_opened_without_tracking(opened, capsys):
    assert not any("tracking" in line for line in findings(capsys)[1])
    assert opened == []


def test_each_server_is_opened_once(opened, healthy_project, monkeypatch, capsys):
    (healthy_project.folder / "runs" / "mlflow.db").touch()
    default = "sqlite:///../../runs/mlflow.db"
    for model, uri in (("tiny", default), ("second", default), ("third", "http://third:5000")):
        (healthy_project.folder / "models" / model).mkdir(exist_ok=True)
        write_tracking_state(healthy_project.folder / "models" / model, TrackingState(uri, uri, model, followed=1))
    monkeypatch.chdir(healthy_project.folder)
    _, lines = findings(capsys)
    expected = [f"sqlite:///{healthy_project.folder}/runs/mlflow.db", "http://third:5000"]
    assert opened == expected
    assert [line for line in lines if line.startswith("ok    tracking")] == [
        f"ok    tracking     MLflow at {uri} can be used" for uri in expected
    ]


def test_server_of_the_environment_is_opened_without_showing_the_password(opened, monkeypatch, capsys):
    monkeypatch.setenv(TRACKING, "http://alice:hunter2@host:5000")
    _, lines = findings(capsys)
    assert opened == ["http://alice:hunter2@host:5000"]
    assert "ok    tracking     MLflow at http://host:5000 can be used" in lines


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            BeamlineError("x.db has schema 1: run `mlflow db upgrade x.db`"),
            "x.db has schema 1: run `mlflow db upgrade x.db`",
        ),
        (
            OSError("http://alice:hunter2@host:5000 refused"),
            "MLflow at http://host:5000 cannot be used (http://host:5000 refused): start it, or run the model once "
            "with --track mlflow and another MLFLOW_TRACKING_URI",
        ),
    ],
)
def test_server_that_cannot_be_used_is_named_with_what_to_do(opened, monkeypatch, capsys, error, expected):
    def open_client(server):
        raise error

    monkeypatch.setenv(TRACKING, "http://alice:hunter2@host:5000")
    monkeypatch.setattr(tracking_servers, "open_client", open_client)
    assert to_do(capsys) == [f"fix   tracking     {expected}"]


def test_database_that_is_gone_is_named_and_not_created(opened, healthy_project, capsys):
    uri = "sqlite:///../../runs/mlflow.db"
    write_tracking_state(healthy_project.folder / "models/tiny", TrackingState(uri, uri, "tiny", followed=1))
    (line,) = to_do(capsys)
    assert f"{healthy_project.folder}/runs/mlflow.db does not exist any more: restore it, or run tiny once" in line
    assert opened == []
    assert not (healthy_project.folder / "runs" / "mlflow.db").exists()


def test_missing_client_is_noted_where_a_model_is_tracked(opened, healthy_project, monkeypatch, capsys):
    monkeypatch.setattr(tracking_servers, "missing_package", lambda: "alembic")
    assert not any("alembic" in line for line in findings(capsys)[1])
    write_tracking_state(healthy_project.folder / "models/tiny", TrackingState("http://h", "http://h", "tiny"))
    code, lines = findings(capsys)
    expected = "alembic is not installed, so nothing is tracked: pip install '.[mlflow]' in Beamline's folder"
    assert f"note  tracking     {expected}" in lines
    assert code == 0
