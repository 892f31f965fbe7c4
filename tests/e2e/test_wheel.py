"""The wheel: what it holds, and that the scorer works where nothing else of the project is installed."""

from __future__ import annotations

import csv
import os
import subprocess
import venv
import zipfile
from pathlib import Path

import numpy as np
import pytest

from serving import batch_score
from tests.e2e.installation import copy_source, pip, tracked
from tests.serving import tiny_bundle

pytestmark = pytest.mark.exhaustive

PACKAGES = ("pipeline", "components", "serving")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Built by what the lock installs, without the network."""
    folder = tmp_path_factory.mktemp("wheel")
    source = copy_source(folder / "source")
    built = pip("wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", folder, source)
    assert built.returncode == 0, built.stdout + built.stderr
    (file,) = folder.glob("beamline-*.whl")
    return file


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory) -> Path:
    """The interpreter of a new environment that has the wheel, without extras, and what it asks for."""
    folder = tmp_path_factory.mktemp("installed")
    if (asked := pip("download", "--no-deps", "--quiet", "--dest", folder / "probe", "tqdm")).returncode:
        if os.environ.get("CI"):
            pytest.fail(f"CI must not skip the installation of the wheel: {asked.stderr}")
        pytest.skip("the package index cannot be reached")
    venv.create(folder / "venv", symlinks=True)
    interpreter = folder / "venv" / "bin" / "python"
    installed = pip("--python", interpreter, "install", "--quiet", wheel)
    assert installed.returncode == 0, installed.stderr
    return interpreter


@pytest.fixture
def run(python, tmp_path):
    """Runs a command of the installed project in an empty folder."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([python, *arguments], cwd=tmp_path, env=ours, capture_output=True, text=True, check=False)

    return run


def test_wheel_holds_every_file_of_the_packages_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert held == {name for name in tracked() if name.split("/")[0] in (*PACKAGES, "beamline.py")}
    assert "components/datasets/digits/digits.csv.gz" in held


def test_installation_without_extras_brings_nothing_of_the_pipeline(run):
    listed = run("-c", "from importlib.metadata import distributions as d; print(*(x.metadata['Name'] for x in d()))")
    installed = set(listed.stdout.replace("-", "_").split())
    assert {"beamline", "numpy", "onnxruntime", "tqdm"} <= installed
    assert not {"tensorflow", "keras", "apache_beam", "tensorflow_datasets", "tyro", "rich"} & installed


def test_installed_scorer_predicts_as_this_environment_does(run, tmp_path, monkeypatch):
    np.save(tmp_path / "images.npy", tiny_bundle.random_images(500))
    bundle = tiny_bundle.seal(tmp_path / "copied")
    command = ["images.npy", "--model", str(bundle.path)]
    done = run("-m", "serving.batch_score", *command)
    assert (done.returncode, done.stderr) == (0, "")
    with (tmp_path / "images.predictions.csv").open(newline="") as file:
        labels = [int(row["label"]) for row in csv.DictReader(file)]
    assert run("-m", "serving.batch_score", *command, "--probabilities", "--out", "there.npy").returncode == 0
    monkeypatch.chdir(tmp_path)
    assert batch_score.main([*command, "--probabilities", "--out", "here.npy"]) == 0
    here, there = np.load("here.npy"), np.load("there.npy")
    np.testing.assert_allclose(there, here, rtol=0, atol=1e-6)
    assert labels == here.argmax(axis=1).tolist()
    assert set(labels) == set(range(len(tiny_bundle.LABELS)))


@pytest.mark.parametrize("command", ["run", "sample"])
def test_command_of_the_pipeline_says_which_extra_is_missing(run, tmp_path, command):
    done = run("-m", "pipeline", command)
    assert (done.returncode, done.stdout) == (1, "")
    assert (
        done.stderr
        == f"{command}: tensorflow-datasets is not installed: pip install '.[pipeline]' in Beamline's folder\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_doctor_names_the_extra_too(run):
    done = run("-m", "pipeline", "doctor")
    assert done.returncode == 1
    assert "tensorflow is not installed: pip install '.[pipeline]' in Beamline's folder" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
