#!/bin/sh
# MLflow's client upgrades the schema of an old database when it connects, if tables are missing there.
#
# Seen with mlflow-skinny 3.17.2. The documentation and MLflow's own error for a database without missing tables say that
# a person has to run `mlflow db upgrade` after a backup. A database of 2024 (schema 867495a8f9d4) has the newest schema
# after MlflowClient(uri).search_experiments():
# SqlAlchemyStore.__init__ calls _initialize_tables, which is meant for an empty database, unless all tables exist.
# A program that must not change a database compares the schema before it makes a client.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
${PYTHON:-python3} -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet install mlflow-skinny==3.17.2 alembic==1.20.1 sqlalchemy==2.1.9 pandas==3.1.1
cat > "$folder/main.py" <<'PYTHON'
import logging
import sys

import mlflow
import sqlalchemy
from alembic import command
from mlflow.store.db.utils import _get_alembic_config
from mlflow.store.tracking.dbmodels.initial_models import Base

logging.disable(logging.INFO)
uri = f"sqlite:///{sys.argv[1]}/mlflow.db"
engine, config = sqlalchemy.create_engine(uri), _get_alembic_config(uri)


def schema():
    with engine.connect() as connection:
        return connection.execute(sqlalchemy.text("SELECT version_num FROM alembic_version")).scalar()


Base.metadata.create_all(engine)
with engine.begin() as connection:
    config.attributes["connection"] = connection
    command.upgrade(config, "867495a8f9d4")
before = schema()
mlflow.MlflowClient(uri).search_experiments()
print("MLflow", mlflow.__version__, "schema before:", before, "after:", schema())
assert before == "867495a8f9d4" != schema()
PYTHON
"$folder/venv/bin/python" "$folder/main.py" "$folder"
