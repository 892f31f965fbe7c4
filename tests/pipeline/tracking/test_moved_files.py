"""moved_files: a copied database names its own files, and a database that was not moved is not written."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.tracking import moved_files
from pipeline.tracking.moved_files import FOLDER_TAG, LOCATIONS, follow_database

TABLES = """
CREATE TABLE experiments (experiment_id INTEGER PRIMARY KEY, name TEXT UNIQUE, artifact_location TEXT);
CREATE TABLE experiment_tags (key TEXT, value TEXT, experiment_id INTEGER, PRIMARY KEY (key, experiment_id));
CREATE TABLE runs (artifact_uri TEXT);
CREATE TABLE logged_models (artifact_location TEXT);
CREATE TABLE model_versions (source TEXT, storage_location TEXT);
"""
# Folders whose names are quoted in a URI, and a new folder in the old one.
MOVES = [("old", "new"), ("old #1 ü", "new 100%"), ("old", "old/runs"), ("old", "older")]


def made(file: Path, experiments: dict[str, str], runs: tuple[str, ...] = (), folder: Path | None = None) -> Path:
    """A database with the tables that have locations; each experiment remembers the folder, if one is given."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(file)) as database, database:
        database.executescript(TABLES)
        database.executemany("INSERT INTO experiments (name, artifact_location) VALUES (?, ?)", experiments.items())
        database.executemany("INSERT INTO runs VALUES (?)", [(run,) for run in runs])
        if folder is not None:
            tags = [(FOLDER_TAG, str(folder), number) for number, _ in enumerate(experiments, start=1)]
            database.executemany("INSERT INTO experiment_tags VALUES (?, ?, ?)", tags)
        database.execute("INSERT INTO model_versions VALUES ('runs:/1/model', NULL)")
    return file


def copied(file: Path, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / file.name).write_bytes(file.read_bytes())
    return folder / file.name


def locations(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as database:
        rows = [database.execute(f"SELECT {column} FROM {table}").fetchall() for table, column in LOCATIONS]
    return [value for table in rows for (value,) in table if value is not None]


@pytest.mark.parametrize(("old", "new"), MOVES)
def test_files_of_beamlines_experiments_are_beside_the_copy(tmp_path, old, new):
    before, after = tmp_path / old, tmp_path / new
    uri = (before / "mlflow").as_uri()
    file = copied(made(before / "mlflow.db", {"tiny": uri, "other": uri}, (f"{uri}/1/artifacts",), before), after)
    follow_database(file, "tiny")
    uri = (after / "mlflow").as_uri()
    assert locations(file) == [uri, uri, f"{uri}/1/artifacts", "runs:/1/model"]
    follow_database(file, "other")
    assert locations(file) == [uri, uri, f"{uri}/1/artifacts", "runs:/1/model"]


def test_files_of_mlflows_own_experiments_are_followed_from_the_first_use(tmp_path):
    before = tmp_path / "old"
    file = made(before / "x.db", {"tiny": f"{before}/mlruns/1", "away": "/data/1", "cloud": "s3://bucket/1"})
    follow_database(file, "tiny")
    assert locations(file)[:3] == [f"{before}/mlruns/1", "/data/1", "s3://bucket/1"]
    file = copied(file, tmp_path / "new")
    follow_database(file, "tiny")
    assert locations(file)[:3] == [f"{tmp_path}/new/mlruns/1", "/data/1", "s3://bucket/1"]
    file = copied(file, tmp_path / "newer")
    follow_database(file, "tiny")
    assert locations(file)[:3] == [f"{tmp_path}/newer/mlruns/1", "/data/1", "s3://bucket/1"]
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("SELECT * FROM experiment_tags").fetchall() == [
            (FOLDER_TAG, str(tmp_path / "newer"), 1)
        ]


@pytest.mark.parametrize("experiment", ["tiny", "absent"])
def test_database_that_was_not_moved_is_only_read(tmp_path, monkeypatch, experiment):
    file = made(tmp_path / "mlflow.db", {"tiny": (tmp_path / "mlflow").as_uri()}, folder=tmp_path)
    monkeypatch.setattr(moved_files, "BUSY_SECONDS", 0)
    with closing(sqlite3.connect(file)) as database:
        # The lock of a writer, which does not keep readers away.
        database.execute("BEGIN IMMEDIATE")
        follow_database(file, experiment)


def test_folder_with_a_longer_name_is_another_folder(tmp_path):
    before = tmp_path / "old"
    uri = (before / "mlflow").as_uri()
    runs = (f"{before.as_uri()}er/1/artifacts",)
    file = copied(made(before / "mlflow.db", {"tiny": uri}, runs, before), tmp_path / "new")
    follow_database(file, "tiny")
    assert f"{before.as_uri()}er/1/artifacts" in locations(file)
