"""A database of another MLflow: refused with the command that upgrades it, which works, and never upgraded unasked."""

from __future__ import annotations

import shlex
import sqlite3
from contextlib import closing

import pytest

from tests.e2e.tracked import Tracked

pytestmark = pytest.mark.exhaustive

# Of 2024: it has not all tables of the installed MLflow, whose client upgrades such a database when it connects.
OLD = "867495a8f9d4"
MAKE = """
import sys
import sqlalchemy
from alembic import command
from mlflow.store.db.utils import _get_alembic_config
from mlflow.store.tracking.dbmodels.initial_models import Base
engine, config = sqlalchemy.create_engine(sys.argv[1]), _get_alembic_config(sys.argv[1])
Base.metadata.create_all(engine)
with engine.begin() as connection:
    config.attributes["connection"] = connection
    command.upgrade(config, sys.argv[2])
"""


@pytest.fixture
def project(mlflow_client, new_project, data_dir):
    return Tracked(new_project(), mlflow_client, data_dir)


def make(here: Tracked, revision: str) -> None:
    here.database.parent.mkdir()
    done = here.project.python("-c", MAKE, here.uri, revision, packages=here.client)
    assert done.returncode == 0, done.stderr


def schema(here: Tracked) -> str:
    with closing(sqlite3.connect(here.database)) as database:
        return database.execute("SELECT version_num FROM alembic_version").fetchone()[0]


def tracking_line(here: Tracked) -> str:
    (line,) = [line for line in here.command("doctor").stdout.splitlines() if " tracking " in line]
    return line


def test_old_database_is_refused_with_the_command_that_upgrades_it(project):
    make(project, OLD)
    done = project.run("--track", "mlflow")
    assert (done.returncode, done.stdout) == (2, "")
    assert f"run: --track mlflow: {project.uri} has schema {OLD} of an MLflow older than " in done.stderr
    line = tracking_line(project)
    assert line.startswith(f"fix   tracking     {project.uri} has schema {OLD} of an MLflow older than ")
    assert schema(project) == OLD
    command, *arguments = shlex.split(line.partition("run `")[2].partition("`")[0])
    assert command == "mlflow"
    project.mlflow(*arguments)
    assert schema(project) != OLD
    assert tracking_line(project) == f"ok    tracking     MLflow at {project.uri} can be used"


def test_database_of_a_newer_mlflow_is_refused_with_the_command_that_upgrades_mlflow(project):
    make(project, "heads")
    assert tracking_line(project) == f"ok    tracking     MLflow at {project.uri} can be used"
    with closing(sqlite3.connect(project.database)) as database, database:
        database.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
    line = tracking_line(project)
    assert line.startswith(f"fix   tracking     {project.uri} has schema ffffffffffff of an MLflow newer than ")
    assert "`python -m pip install --upgrade mlflow-skinny`" in line
    assert schema(project) == "ffffffffffff"
