"""A project whose commands have MLflow's client, and what MLflow itself reads in its database."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.tracking.addresses import sqlite_uri
from tests.e2e.conftest import Project

RUNS = "runs #1 ?%41 ü"
READ = """
import json, sys
from mlflow import MlflowClient
client = MlflowClient(sys.argv[1])
runs = [
    dict(name=r.info.run_name, status=r.info.status, params=r.data.params, metrics=r.data.metrics,
         tags={n: v for n, v in r.data.tags.items() if n.startswith("beamline.")},
         files=sorted(f.path for d in ("", "pictures", "model") for f in client.list_artifacts(r.info.run_id, d)),
         losses=[(m.step, m.value) for m in client.get_metric_history(r.info.run_id, "train_loss")])
    for e in client.search_experiments() for r in client.search_runs([e.experiment_id], order_by=["start_time"])
]
models = {m.name: m.aliases for m in client.search_registered_models()}
versions = {v.version: v.tags for v in client.search_model_versions("")}
print(json.dumps(dict(runs=runs, models=models, versions=versions)))
"""


@dataclass(frozen=True)
class Tracked:
    """A project whose commands have MLflow's client, from a folder of packages."""

    project: Project
    client: Path
    data_dir: Path

    @property
    def uri(self) -> str:
        return sqlite_uri(self.database)

    @property
    def database(self) -> Path:
        return self.project.folder / RUNS / "mlflow.db"

    def run(self, *more, **environment):
        command = ("run", "--dataset", "tiny", "--data-dir", str(self.data_dir), "--evaluate.min-accuracy", "0.5")
        return self.command(*command, *more, **environment)

    def command(self, *arguments, with_client=True, **environment):
        packages = self.client if with_client else None
        return self.project.python("-m", "pipeline", *arguments, "--runs", RUNS, packages=packages, **environment)

    def read(self):
        done = self.project.python("-c", READ, self.uri, packages=self.client)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def mlflow(self, *arguments, **environment):
        """MLflow's own command."""
        done = self.project.python("-m", "mlflow", *arguments, packages=self.client, **environment)
        assert done.returncode == 0, done.stderr
        return done

    def copied(self, target: Path) -> Tracked:
        shutil.copytree(self.project.folder, target)
        return replace(self, project=Project(target))

    def champion(self):
        """The version of the registry that has the alias."""
        read = self.read()
        return int(read["versions"][str(read["models"]["tiny"]["champion"])]["beamline.version"])

    def serving(self):
        return json.loads((self.project.folder / "models/tiny/promoted.json").read_text())
