"""A database of SQLite that was copied or moved -> its artifact locations are beside it again.

MLflow stores the location of each experiment and each run as an absolute path, and has no command that changes it. So a
copy of a database would write its pictures into the folder of the original.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

# The folder, beside a database, with the files of the experiments that Beamline creates.
FILES_FOLDER = "mlflow"
# The tag with the folder in which the database was at its last use; all experiments that have it have the same.
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


def follow_database(file: Path, experiment: str) -> None:
    """Changes the locations below the folder in which the database was at its last use, if it has another one now.

    Args:
        file: a database with MLflow's tables.
        experiment: name of the experiment that remembers the folder from now on, if it exists and no other one does.

    Raises: sqlite3.Error: the database cannot be read or written.
    """
    folder = file.resolve().parent
    with closing(sqlite3.connect(file, timeout=BUSY_SECONDS, isolation_level=None)) as database:
        if _remembered(database) == folder:
            return
        database.execute("BEGIN IMMEDIATE")
        # Read again, because another process may have made the changes in the meantime.
        before = _remembered(database)
        if before is None:
            statement = "INSERT INTO experiment_tags (key, value, experiment_id) SELECT ?, ?, experiment_id "
            database.execute(f"{statement} FROM experiments WHERE name = ?", (FOLDER_TAG, str(folder), experiment))
        else:
            _change_locations(database, before, folder)
            database.execute("UPDATE experiment_tags SET value = ? WHERE key = ?", (str(folder), FOLDER_TAG))
        database.execute("COMMIT")


def _remembered(database: sqlite3.Connection) -> Path | None:
    """The folder of the database at its last use; None before the first one."""
    row = database.execute("SELECT value FROM experiment_tags WHERE key = ? LIMIT 1", (FOLDER_TAG,)).fetchone()
    return None if row is None else Path(row[0])


def _change_locations(database: sqlite3.Connection, before: Path, folder: Path) -> None:
    # MLflow stores both spellings: a URI if one was given, and a path for its own default.
    for old, new in ((before.as_uri(), folder.as_uri()), (str(before), str(folder))):
        below = f"{old}/"
        for table, column in LOCATIONS:
            statement = f"UPDATE {table} SET {column} = ? || substr({column}, ?) WHERE substr({column}, 1, ?) = ?"
            database.execute(statement, (f"{new}/", len(below) + 1, len(below), below))
