"""The schema of an MLflow database -> refused, with the remedy, if the installed MLflow has another one."""

from __future__ import annotations

import shlex

from pipeline.tracking.addresses import sqlite_file, without_credentials
from serving.errors import BeamlineError

# The URIs that MLflow opens with SQLAlchemy.
DATABASES = ("sqlite", "postgresql", "mysql", "mssql")


def require_current_schema(uri: str) -> None:
    """Checks a database before MLflow opens it, because MLflow upgrades some databases then, which cannot be undone.

    A server, a new database, and one without MLflow's tables have nothing to check.

    Raises:
        BeamlineError: the database is of an older or a newer MLflow.
        sqlalchemy.exc.SQLAlchemyError: the database cannot be opened.
    """
    file = sqlite_file(uri)
    if uri.partition(":")[0].partition("+")[0] not in DATABASES or (file is not None and not file.is_file()):
        return
    import mlflow.store.db_migrations
    from alembic.script import ScriptDirectory

    found = _revision(uri)
    scripts = ScriptDirectory(mlflow.store.db_migrations.__path__[0])
    if found is None or found == scripts.get_current_head():
        return
    shown, installed = without_credentials(uri), mlflow.__version__
    if found in {script.revision for script in scripts.walk_revisions()}:
        raise BeamlineError(
            f"{shown} has schema {found} of an MLflow older than {installed}, which is installed: copy the database, "
            f"then run `mlflow db upgrade {shlex.quote(shown)}`"
        )
    raise BeamlineError(
        f"{shown} has schema {found} of an MLflow newer than {installed}, which is installed: run "
        "`python -m pip install --upgrade mlflow-skinny`, and upgrade the package mlflow too if you have it"
    )


def _revision(uri: str) -> str | None:
    """The revision of the schema; None if the database has none of MLflow's."""
    import sqlalchemy
    from alembic.runtime.migration import MigrationContext

    engine = sqlalchemy.create_engine(uri, poolclass=sqlalchemy.NullPool)
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()
