"""The console scripts: Beamline's own programs, also beside packages and modules of the same names."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import ROOT
from tests.serving.tiny_bundle import random_images, seal

# As pip writes it.
SCRIPT = """#!{python}
import sys
from {module} import {function}
if __name__ == "__main__":
    sys.exit({function}())
"""


@pytest.fixture(scope="session")
def scripts(shared) -> Path:
    """The folder of the scripts that setup.py declares."""

    def write(folder):
        folder.mkdir()
        declared = re.findall(r'"([\w-]+) = (\w+):(\w+)"', (ROOT / "setup.py").read_text())
        for name, module, function in declared:
            (folder / name).write_text(SCRIPT.format(python=sys.executable, module=module, function=function))
            (folder / name).chmod(0o755)

    return shared("scripts", write)


@pytest.fixture
def run(scripts, foreign_folder):
    """Runs a script in a folder with foreign packages; ours are those of an installation, last in the path."""

    def run(name: str, *arguments: str, first: str = "") -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join(filter(None, [first, str(ROOT)]))
        environment = {**os.environ, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": path}
        return subprocess.run([name, *arguments], env=environment, capture_output=True, text=True, check=False)

    return run


def test_setup_declares_both(scripts):
    assert sorted(file.name for file in scripts.iterdir()) == ["beamline", "beamline-score"]


@pytest.mark.parametrize("first", ["", "."])
def test_pipeline_runs_our_packages_and_names_itself(run, first):
    done = run("beamline", "runs", first=first)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("runs: runs has no runs yet: make one with beamline run, or give the folder")
    assert run("beamline", "--help", first=first).stdout.startswith("usage: beamline COMMAND [--help]\n")
    assert run("beamline", "run", "--help", first=first).stdout.startswith("usage: beamline run ")


@pytest.mark.parametrize("first", ["", "."])
def test_scorer_runs_our_packages_and_names_itself(run, foreign_folder, first):
    np.save(foreign_folder / "images.npy", random_images(50))
    bundle = seal(foreign_folder / "sealed")
    done = run("beamline-score", "images.npy", "--model", str(bundle.path), first=first)
    assert (done.returncode, done.stderr) == (0, "")
    assert len((foreign_folder / "images.predictions.csv").read_text().splitlines()) == 51
    assert run("beamline-score", "--help", first=first).stdout.startswith("usage: beamline-score ")
    assert "promote one with `beamline run`" in run("beamline-score", "images.npy", first=first).stderr


def test_module_of_the_working_folder_is_what_python_runs(run):
    """The documents name the console scripts as the way in such a folder."""
    assert run(sys.executable, "-m", "pipeline", "runs").stderr == "the wrong pipeline.py\n"
