"""track: what a copied project, a deleted experiment and a database of another MLflow do to the alias."""

from __future__ import annotations

import logging
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline.__main__ import main
from pipeline.engine.outcome import Outcome
from pipeline.records.run_history import RunHistory
from pipeline.tracking import model_versions, server, track
from pipeline.tracking.addresses import sqlite_uri
from pipeline.tracking.model_versions import ALIAS, DIGEST
from pipeline.tracking.server import TrackingServer, read_tracking_state, write_tracking_state
from serving.errors import BeamlineError, InputError
from tests.pipeline.requests import begun


@dataclass
class Client:
    """What the alias needs of MLflow's client, in memory; the experiments by name, each with its state."""

    experiments: dict[str, str] = field(default_factory=dict)
    runs: list[str] = field(default_factory=list)
    versions: list[tuple[str, str]] = field(default_factory=list)
    alias: dict[tuple[str, str], str] = field(default_factory=dict)

    def get_experiment_by_name(self, name):
        state = self.experiments.get(name)
        return None if state is None else SimpleNamespace(experiment_id=name, lifecycle_stage=state)

    def create_experiment(self, name, artifacts, tags):
        self.experiments[name] = "active"
        return name

    def create_run(self, experiment, tags, run_name):
        assert self.experiments[experiment] == "active"
        self.runs.append(experiment)
        return SimpleNamespace(info=SimpleNamespace(run_id=str(len(self.runs))))

    def create_model_version(self, name, source, run, tags):
        self.versions.append((source, tags[DIGEST]))
        return SimpleNamespace(version=len(self.versions))

    def search_model_versions(self, query):
        return [
            SimpleNamespace(version=number)
            for number, (_, digest) in enumerate(self.versions, start=1)
            if f"'{digest}'" in query
        ]

    def set_registered_model_alias(self, name, alias, version):
        self.alias[name, alias] = version

    def ignore(self, *arguments, **options):
        return None

    set_terminated = log_artifacts = search_registered_models = create_registered_model = ignore


@pytest.fixture
def clients(registry, monkeypatch):
    """A client for each address, as MLflow would have a database for each."""
    found: dict[str, Client] = {}
    monkeypatch.setattr(track, "connect", lambda server: found.setdefault(server.uri, Client()))
    monkeypatch.setattr(model_versions, "_write_model", lambda bundle, folder: None)
    return found


def test_rollback_in_a_copied_project_moves_the_alias_of_the_copy(registry, clients, tmp_path, monkeypatch, capsys):
    project, copy = tmp_path / "project", tmp_path / "copy"
    project.mkdir()
    registry.root.rename(project / "models")
    (project / "runs").mkdir()
    (project / "runs" / "mlflow.db").touch()
    uri, folder = sqlite_uri(project / "runs" / "mlflow.db"), project / "models" / "tiny"
    write_tracking_state(folder, TrackingServer(uri, uri, "tiny").state(project / "runs", folder))
    shutil.copytree(project, copy)
    monkeypatch.chdir(copy)
    assert main(["rollback", "tiny", "--reason", "slow"]) == 0
    assert capsys.readouterr().err == ""
    assert list(clients) == [sqlite_uri(copy / "runs" / "mlflow.db")]
    assert read_tracking_state(copy / "models" / "tiny").followed == 3
    assert read_tracking_state(folder).followed == 0
    # The address stays relative, so that a copy of the copy has its own as well.
    assert read_tracking_state(copy / "models" / "tiny").uri == "sqlite:///../../runs/mlflow.db"


@pytest.mark.parametrize("address", ["http://host:5000", "http://alice:hunter2@host:5000"])
def test_deleted_experiment_is_named_with_the_command_and_the_alias_follows(
    registry, clients, address, monkeypatch, caplog
):
    monkeypatch.setenv(server.TRACKING, address)
    client = clients[address] = Client({"tiny": "deleted"})
    history = RunHistory(Path("runs"))
    began = begun(history, "--dataset", "digits", "--model", "tiny", run="0001")
    failed = (Outcome("train", "failed", reasons=("it diverged",), exit_code=1),)
    history.finish(replace(began, verdict="failed", steps=failed))
    with caplog.at_level(logging.WARNING, "beamline"):
        track.track_run(Path("runs"), registry.root, "tiny", "0001")
    (warning,) = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    command = "mlflow experiments restore --experiment-id tiny`"
    expected = f"`{command} with the same MLFLOW_" if "@" in address else f"`MLFLOW_TRACKING_URI={address} {command}"
    assert f"experiment tiny was deleted in MLflow: restore it with {expected}" in warning
    assert "hunter2" not in warning
    promoted = registry.promoted("tiny")
    assert client.versions == [("runs:/1/model", promoted.sha256)]
    assert client.alias == {("tiny", ALIAS): "1"}
    assert client.experiments["tiny"] == "deleted"
    assert read_tracking_state(registry.root / "tiny").followed == promoted.event.sequence
    assert main(["rollback", "tiny", "--reason", "slow"]) == 0
    assert client.alias == {("tiny", ALIAS): "2"}


def test_existing_database_is_tried_before_a_run(registry, monkeypatch):
    def refuse(server):
        raise BeamlineError(f"{server.uri} has another schema")

    monkeypatch.setattr(track, "missing_package", lambda: None)
    monkeypatch.setattr(track, "connect", refuse)
    track.require_tracker(Path("runs"), "tiny")
    Path("runs").mkdir()
    Path("runs/mlflow.db").touch()
    with pytest.raises(InputError, match=r"^--track mlflow: sqlite:.*/runs/mlflow\.db has another schema$"):
        track.require_tracker(Path("runs"), "tiny")


def test_beamlines_own_message_is_whole_and_another_is_cut():
    assert track.on_one_line(None, BeamlineError(f"{'a' * 400} `do this`")).endswith("`do this`")
    assert track.on_one_line(None, ValueError("a" * 400)) == f"{'a' * 300} …"
