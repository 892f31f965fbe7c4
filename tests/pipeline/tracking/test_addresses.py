"""addresses: a URI of SQLite names the same file from a folder, and the copy's file from a copy of the folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import make_url

from pipeline.tracking.addresses import absolute, relative, sqlite_file, sqlite_uri

NAMES = st.text(st.sampled_from("a.é #%?&+%41 "), min_size=1, max_size=6).filter(lambda name: name.strip(".") == name)
PATHS = st.lists(NAMES, min_size=1, max_size=4).map(lambda names: Path("/absent", *names))


@given(PATHS)
def test_uri_of_a_file_is_read_back(path):
    assert sqlite_file(sqlite_uri(path)) == path


@given(PATHS, PATHS, PATHS)
def test_copy_of_a_project_has_a_database_of_its_own(project, folder, other):
    below = folder.relative_to("/absent")
    file = project / "runs" / "mlflow.db"
    recorded = relative(sqlite_uri(file), project / below)
    assert absolute(recorded, project / below) == sqlite_uri(file)
    assert sqlite_file(absolute(recorded, other / below)) == other / "runs" / "mlflow.db"


def test_query_stays_behind_the_file(tmp_path):
    uri = f"sqlite:///{tmp_path}/runs/mlflow.db?timeout=30"
    recorded = relative(uri, tmp_path / "models" / "tiny")
    assert recorded == "sqlite:///../../runs/mlflow.db?timeout=30"
    assert absolute(recorded, tmp_path / "models" / "tiny") == uri
    assert sqlite_file(uri) == Path(make_url(uri).database) == tmp_path / "runs/mlflow.db"


@pytest.mark.parametrize(
    "uri", ["http://host:5000", "postgresql://host/db", "databricks", "sqlite://", "sqlite:///:memory:"]
)
def test_other_uri_is_unchanged(tmp_path, uri):
    assert sqlite_file(uri) is None
    assert relative(uri, tmp_path) == absolute(uri, tmp_path) == uri
