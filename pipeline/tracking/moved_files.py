"""A database of SQLite that was copied or moved -> its artifact locations are beside it again.

MLflow stores the location of each experiment and each run as an absolute path, and has no command that changes it. So a
copy of a database would write its pictures into the folder of the original.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

# The folder, beside a database, with the files of the experiments that Beamline creates.
FILES_FOLDER = "mlflow"
# The tag of an experiment that has the folder in which the database was at its last use.
FOLDER_TAG = "beamline.database_folder"
# The columns in which MLflow stores absolute locations.
LOCATIONS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)
BUSY_SECONDS = 20.0


class _Experiment(NamedTuple):
    id: int
    folder: Path | None


def follow_database(file: Path, experiment: str) -> None:
    """Changes the locations below the folder in which the database was at its last use, if it has another one now.

    Args:
        file: a database with MLflow's tables.
        experiment: name of the experiment that remembers the folder. If it does not exist, nothing is changed.

    Raises: sqlite3.Error: the database cannot be read or written.
    """
    folder = file.resolve().parent
    with closing(sqlite3.connect(file, timeout=BUSY_SECONDS, isolation_level=None)) as database:
        found = _find(database, experiment)
        if found is None or found.folder == folder:
            return
        database.execute("BEGIN IMMEDIATE")
        # Read again, because another process may have made the changes in the meantime.
        found = _find(database, experiment)
        if found is not None and found.folder != folder:
            if found.folder is not None:
                _change_locations(database, found.folder, folder)
            values = (FOLDER_TAG, str(folder), found.id)
            database.execute(
                "INSERT OR REPLACE INTO experiment_tags (key, value, experiment_id) VALUES (?, ?, ?)", values
            )
        database.execute("COMMIT")


def _find(database: sqlite3.Connection, name: str) -> _Experiment | None:
    """The experiment, with the folder in which the database was; None for the folder if it is unknown."""
    query = (
        "SELECT experiments.experiment_id, artifact_location, value FROM experiments LEFT JOIN experiment_tags "
        "ON experiment_tags.experiment_id = experiments.experiment_id AND key = ? WHERE name = ?"
    )
    row = database.execute(query, (FOLDER_TAG, name)).fetchone()
    if row is None:
        return None
    number, location, remembered = row
    if remembered is not None:
        return _Experiment(number, Path(remembered))
    files = _local_path(location)
    return _Experiment(number, files.parent if files is not None and files.name == FILES_FOLDER else None)


def _local_path(location: str) -> Path | None:
    parts = urlsplit(location)
    if parts.scheme == "file":
        return Path(unquote(parts.path))
    return None if parts.scheme else Path(location)


def _change_locations(database: sqlite3.Connection, before: Path, folder: Path) -> None:
    # MLflow stores both spellings: a URI if one was given, and a path for its own default.
    for old, new in ((before.as_uri(), folder.as_uri()), (str(before), str(folder))):
        below = f"{old}/"
        for table, column in LOCATIONS:
            statement = f"UPDATE {table} SET {column} = ? || substr({column}, ?) WHERE substr({column}, 1, ?) = ?"
            database.execute(statement, (f"{new}/", len(below) + 1, len(below), below))
