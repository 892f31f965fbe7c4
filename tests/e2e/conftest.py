"""A copy of the project to run as a user does: commands in processes of their own, in a folder of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import tiny_set
from tests.conftest import ROOT
from tests.e2e.preloaded import run_python

PACKAGES = "import sysconfig; print(sysconfig.get_path('purelib'))"
# Importing one of these fails: what still works needs neither.
LARGE = ("tensorflow", "keras", "apache_beam", "tensorflow_datasets", "matplotlib")
BLOCKED = """
import runpy, sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in blocked.split(","):
            raise ImportError(name + " is blocked")

sys.meta_path.insert(0, Blocker())
blocked, module = sys.argv.pop(1), sys.argv.pop(1)
runpy.run_module(module, run_name="__main__", alter_sys=True)
"""


@dataclass(frozen=True)
class Project:
    """The three packages in a folder, with `runs/` and `models/` beside them."""

    folder: Path

    def copied(self, target: Path) -> Project:
        shutil.copytree(self.folder, target)
        servers = target / "models" / "models.config"
        if servers.exists():
            # TensorFlow Serving wants whole paths: what the next run there would write.
            servers.write_text(servers.read_text().replace(str(self.folder), str(target)))
        return Project(target)

    @property
    def environment(self) -> dict[str, str]:
        """What a user's shell would give, and the cache of compiled networks."""
        return {
            name: value
            for name, value in os.environ.items()
            if name == "TF_XLA_FLAGS" or not name.startswith(("TF_", "PYTHON", "MAKE", "MFLAGS"))
        }

    def command(
        self, *arguments: str, blocked: bool = False, without: tuple[str, ...] = LARGE, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """A command of ours; if `blocked`, without some libraries."""
        if blocked:
            return self.process(sys.executable, "-c", BLOCKED, ",".join(without), *arguments, **environment)
        if arguments[0] == "pipeline":
            return self.python("-m", *arguments, **environment)
        return self.process(sys.executable, "-m", *arguments, **environment)

    def python(
        self, *arguments: str, packages: Path | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """`python -m …` or `python -c …`, with the large libraries imported already, and with a folder of packages."""
        return run_python(arguments, self.folder, self.environment | environment, packages)

    def process(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            arguments,
            cwd=self.folder,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def started(self, *arguments: str) -> subprocess.Popen[str]:
        """A command that goes on while the test does, in a group of processes of its own, as a terminal's job is."""
        return subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def last_run(self) -> dict:
        return json.loads(sorted((self.folder / "runs" / "history").glob("*.json"))[-1].read_text())

    def outcomes(self) -> dict[str, str]:
        return {step["name"]: step["outcome"] for step in self.last_run()["steps"]}

    def executed(self) -> list[str]:
        return [name for name, outcome in self.outcomes().items() if outcome == "executed"]

    def digests(self) -> dict[str, str]:
        return {step["name"]: step["sha256"] for step in self.last_run()["steps"]}

    def artifact(self, step: str) -> Path:
        (folder,) = (self.folder / "runs" / "artifacts").glob(f"{step}-*")
        return folder

    def pictures(self, run: str) -> dict[str, bytes]:
        folder = self.folder / "runs" / "reports" / run
        return {file.name: file.read_bytes() for file in folder.glob("*.png")}

    def registry(self) -> dict[str, bytes]:
        models = self.folder / "models"
        return {file.relative_to(models).as_posix(): file.read_bytes() for file in models.rglob("*") if file.is_file()}


def fresh_project(folder: Path) -> Project:
    folder.mkdir(parents=True)
    for package in ("pipeline", "components", "serving"):
        shutil.copytree(ROOT / package, folder / package)
    return Project(folder)


@pytest.fixture(scope="session")
def new_project(tmp_path_factory):
    return lambda: fresh_project(tmp_path_factory.mktemp("project") / "beamline")


@pytest.fixture(scope="session")
def data_dir(shared):
    """Where the small set is prepared; no test changes it."""
    return shared("tfds-tiny", tiny_set.prepare)


@pytest.fixture(scope="session")
def promoted_tiny(shared, data_dir):
    """A project with one run on the small set, which promoted its model. Tests that change it make a copy."""

    def make(folder):
        project = fresh_project(folder / "beamline")
        done = project.command(*tiny_run(data_dir))
        (folder / "done.json").write_text(json.dumps([done.returncode, done.stdout, done.stderr]))

    folder = shared("project-tiny", make)
    printed = json.loads((folder / "done.json").read_text())
    return Project(folder / "beamline"), subprocess.CompletedProcess(["run"], *printed)


def tiny_run(data_dir: Path) -> tuple[str, ...]:
    """The gate passes with 200 test images if none of them is wrong."""
    return ("pipeline", "run", "--dataset", "tiny", "--data-dir", str(data_dir), "--evaluate.min-accuracy", "0.95")


@pytest.fixture(scope="session")
def mnist_data_dir(shared):
    """Where the first run on MNIST prepares it."""
    return shared("tfds-mnist", Path.mkdir)


@pytest.fixture(scope="session")
def promoted_mnist(shared, mnist_dir, mnist_data_dir):
    """A project whose run with all defaults promoted a model of MNIST. Tests work in a copy."""

    def make(folder):
        project = fresh_project(folder / "beamline")
        done = project.command("pipeline", "run", "--manual-dir", str(mnist_dir), "--data-dir", str(mnist_data_dir))
        assert done.returncode == 0, done.stdout + done.stderr

    return Project(shared("project-mnist", make) / "beamline")


@pytest.fixture(scope="session")
def mnist(mnist_dir, mnist_data_dir):
    """The flags of a run on MNIST."""
    return ("--dataset", "mnist", "--manual-dir", str(mnist_dir), "--data-dir", str(mnist_data_dir))


@pytest.fixture(scope="session")
def promoted_cnn(shared, promoted_mnist, mnist):
    """A project with two models: `mnist`, and `cnn`, a convolutional network that was trained for one epoch.

    MNIST's test images are in `images.npy`. Tests work in a copy.
    """

    def make(folder):
        project = promoted_mnist.copied(folder / "beamline")
        recipe = ("--preset", "cnn", "--train.epochs", "1", "--model", "cnn", "--evaluate.min-accuracy", "0.9")
        for command in (("run", *mnist, *recipe), ("sample", *mnist, "--out", "images.npy")):
            done = project.command("pipeline", *command)
            assert done.returncode == 0, done.stdout + done.stderr

    return Project(shared("project-cnn", make) / "beamline")


@pytest.fixture(scope="session")
def mlflow_client():
    """The site-packages of the environment that has MLflow's client."""
    given = os.environ.get("BEAMLINE_TRACKING_PYTHON")
    if not given:
        if os.environ.get("CI"):
            pytest.fail("BEAMLINE_TRACKING_PYTHON is not set, and CI must not skip what needs MLflow")
        pytest.skip("BEAMLINE_TRACKING_PYTHON is not set: no MLflow")
    found = subprocess.run([given, "-c", PACKAGES], capture_output=True, text=True, check=True)
    return Path(found.stdout.strip())
