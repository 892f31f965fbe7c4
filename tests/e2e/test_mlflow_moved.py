"""MLflow in a project that was copied or moved: its own database, its own pictures, and a model that can be loaded."""

from __future__ import annotations

import hashlib
import json
import shlex
from dataclasses import replace

import pytest

from tests.e2e.conftest import Project
from tests.e2e.tracked import RUNS, Tracked

pytestmark = pytest.mark.exhaustive

LOAD = """
import mlflow, sys
mlflow.set_tracking_uri(sys.argv[1])
client = mlflow.MlflowClient()
mlflow.onnx.load_model("models:/tiny@champion")
print(client.get_run(client.get_model_version_by_alias("tiny", "champion").run_id).info.artifact_uri)
"""
EXPERIMENT = """
import sys
from mlflow import MlflowClient
client = MlflowClient(sys.argv[1])
client.create_experiment("notebook")
"""


@pytest.fixture(scope="module")
def tracked(mlflow_client, new_project, data_dir):
    """Two tracked runs, which promote; no test changes the project."""
    here = Tracked(new_project(), mlflow_client, data_dir)
    for epochs in ("5", "6"):
        done = here.run("--track", "mlflow", "--train.epochs", epochs)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
    return here


def files(here: Tracked) -> dict[str, str]:
    """The digest of each file of the runs and of the models."""
    found = [file for folder in (RUNS, "models") for file in (here.project.folder / folder).rglob("*")]
    return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in found if file.is_file()}


def loads_its_own_champion(here: Tracked) -> bool:
    """MLflow loads the version with the alias, from the files beside the project's database."""
    done = here.project.python("-c", LOAD, here.uri, packages=here.client)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1].startswith(here.database.with_name("mlflow").as_uri())


def test_commands_in_a_copy_change_only_the_copy(tracked, tmp_path):
    before = files(tracked)
    copy = tracked.copied(tmp_path / "copy")
    rolled = copy.command("rollback", "tiny", "--reason", "slow at night")
    assert (rolled.returncode, rolled.stderr) == (0, "")
    assert (copy.serving()["version"], copy.champion()) == (1, 1)
    assert loads_its_own_champion(copy)
    promoted = copy.command("promote", "2", "--reason", "it was the disk")
    assert (promoted.stderr, copy.champion()) == ("", 2)
    assert copy.run("--track", "mlflow", "--train.epochs", "7").returncode == 0
    assert copy.champion() == 3
    again = copy.copied(tmp_path / "folder" / "again")
    assert again.command("rollback", "tiny", "--reason", "slow at night").stderr == ""
    assert (again.champion(), copy.champion()) == (2, 3)
    assert files(tracked) == before
    assert tracked.champion() == 2


def test_moved_project_writes_its_pictures_in_the_new_place(tracked, tmp_path):
    copy = tracked.copied(tmp_path / "before")
    assert copy.run("--track", "mlflow", "--train.epochs", "5").returncode == 0
    moved = replace(copy, project=Project(copy.project.folder.rename(tmp_path / "after")))
    assert moved.run("--track", "mlflow", "--train.epochs", "6").returncode == 0
    assert not (tmp_path / "before").exists()
    runs = moved.read()["runs"]
    assert len(runs) == 4
    assert all("pictures/confusion-matrix.png" in run["files"] for run in runs)
    assert moved.champion() == 2
    assert loads_its_own_champion(moved)


def test_experiment_of_a_notebook_is_followed_with_its_database(tracked, tmp_path):
    names = {"MLFLOW_TRACKING_URI": "sqlite:///notes.db", "MLFLOW_EXPERIMENT_NAME": "notebook"}
    here = tracked.copied(tmp_path / "before")
    assert here.project.python("-c", EXPERIMENT, "sqlite:///notes.db", packages=here.client).returncode == 0
    assert here.run("--track", "mlflow", "--train.epochs", "5", **names).returncode == 0
    state = json.loads((here.project.folder / "models/tiny/tracking.json").read_text())
    assert state["uri"] == state["registry_uri"] == "sqlite:///../../notes.db"
    copy = here.copied(tmp_path / "copy")
    before = set((tmp_path / "before").rglob("*.png"))
    assert copy.run("--track", "mlflow", "--train.epochs", "6", **names).returncode == 0
    assert set((tmp_path / "before").rglob("*.png")) == before
    assert len(list((copy.project.folder / "mlruns").rglob("confusion-matrix.png"))) == 2


def test_deleted_experiment_is_restored_with_the_command_of_the_message(tracked, tmp_path):
    here = tracked.copied(tmp_path / "copy")
    here.run("--track", "mlflow", "--train.epochs", "6")
    here.mlflow("experiments", "delete", "--experiment-id", "1", MLFLOW_TRACKING_URI=here.uri)
    done = here.run("--track", "mlflow", "--train.epochs", "7")
    assert (done.returncode, done.stderr) == (0, "")
    assert (here.serving()["version"], here.champion()) == (3, 3)
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("WARNING")]
    given, command, *arguments = shlex.split(line.partition("restore it with `")[2].partition("`")[0])
    assert (command, *arguments) == ("mlflow", "experiments", "restore", "--experiment-id", "1")
    here.mlflow(*arguments, **dict([given.split("=", 1)]))
    assert here.run("--track", "mlflow", "--train.epochs", "7").stdout.count("tracked: ") == 1
    assert here.champion() == 3
