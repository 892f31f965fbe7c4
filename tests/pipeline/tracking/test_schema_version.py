"""schema_version: a database of another MLflow is refused with the command, and is not changed."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing

import pytest

from pipeline.tracking.schema_version import require_current_schema
from serving.errors import BeamlineError

MIGRATION = "revision, down_revision = {revision!r}, {before!r}\n"


@pytest.fixture(autouse=True)
def _mlflow(tmp_path, monkeypatch):
    """A package `mlflow` with two migrations, which Alembic reads as it reads MLflow's own."""
    folder = tmp_path / "packages" / "mlflow" / "store" / "db_migrations"
    (folder / "versions").mkdir(parents=True)
    for package in (folder, folder.parent, folder.parents[1]):
        (package / "__init__.py").write_text('__version__ = "3.9.0"\n')
    for revision, before in (("aaa1", None), ("bbb2", "aaa1")):
        (folder / "versions" / f"{revision}.py").write_text(MIGRATION.format(revision=revision, before=before))
    assert not [name for name in sys.modules if name.partition(".")[0] == "mlflow"]
    monkeypatch.syspath_prepend(tmp_path / "packages")
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "mlflow"]:
        del sys.modules[name]


@pytest.fixture
def database(tmp_path):
    """Makes a database, in a folder whose name the shell would split; the revision is that of its schema."""

    def make(revision: str | None) -> str:
        (tmp_path / "my runs").mkdir()
        with closing(sqlite3.connect(tmp_path / "my runs" / "mlflow.db")) as made, made:
            made.execute("CREATE TABLE experiments (name TEXT)")
            if revision is not None:
                made.execute("CREATE TABLE alembic_version (version_num TEXT)")
                made.execute("INSERT INTO alembic_version VALUES (?)", (revision,))
        return f"sqlite:///{tmp_path}/my runs/mlflow.db"

    return make


@pytest.mark.parametrize("revision", ["bbb2", None])
def test_database_of_this_mlflow_or_without_a_schema_is_taken(database, revision):
    require_current_schema(database(revision))


@pytest.mark.parametrize(
    ("revision", "expected"),
    [
        ("aaa1", "has schema aaa1 of an MLflow older than 3.9.0, .* then run `mlflow db upgrade '{uri}'`$"),
        (
            "ccc3",
            "has schema ccc3 of an MLflow newer than 3.9.0, .* run `python -m pip install --upgrade mlflow-skinny`",
        ),
    ],
)
def test_other_schema_is_refused_with_the_command(database, tmp_path, revision, expected):
    uri = database(revision)
    before = (tmp_path / "my runs" / "mlflow.db").read_bytes()
    with pytest.raises(BeamlineError, match=f"^{uri} {expected.format(uri=uri)}"):
        require_current_schema(uri)
    assert (tmp_path / "my runs" / "mlflow.db").read_bytes() == before


def test_server_and_absent_database_have_no_schema_to_check(tmp_path):
    for uri in ("http://127.0.0.1:9", "databricks", f"sqlite:///{tmp_path}/absent.db", "sqlite:///:memory:"):
        require_current_schema(uri)
    assert not (tmp_path / "absent.db").exists()
