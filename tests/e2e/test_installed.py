"""The console scripts of an installation, in a user's folder with packages of the same names, without a home folder."""

from __future__ import annotations

import json
import os
import subprocess
import sysconfig
import venv
from pathlib import Path

import pytest

from tests.e2e.installation import copy_source, pip

pytestmark = pytest.mark.exhaustive

# Every Python process that is started looks for this module first.
NO_HOME = """
import pwd

def unknown(user):
    raise KeyError(user)

pwd.getpwuid = unknown
"""
DATA = ("--dataset", "digits", "--data-dir", "data", "--evaluate.min-accuracy", "0.1")


@pytest.fixture(scope="module")
def scripts(request, tmp_path_factory) -> Path:
    """The folder of an environment's scripts; what Beamline needs comes from this environment."""
    folder = tmp_path_factory.mktemp(request.param)
    venv.create(folder / "venv", symlinks=True)
    purelib = next((folder / "venv/lib").glob("python*/site-packages"))
    (purelib / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    source = [copy_source(folder / "source")]
    how = ["--editable", *source] if request.param == "editable" else source
    offline = ("--quiet", "--no-deps", "--no-build-isolation", "--no-index")
    done = pip("--python", folder / "venv/bin/python", "install", *offline, *how)
    assert done.returncode == 0, done.stderr
    return folder / "venv/bin"


@pytest.fixture
def run(scripts, foreign_folder, tmp_path):
    """Runs a script with an environment that has Python's path and nothing else."""
    (tmp_path / "first").mkdir()
    (tmp_path / "first/sitecustomize.py").write_text(NO_HOME)
    path = os.pathsep.join([str(tmp_path / "first"), "."])

    def run(name: str, *arguments: str) -> str:
        done = subprocess.run(
            [scripts / name, *arguments], env={"PYTHONPATH": path}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stderr == ""
        return done.stdout

    return run


@pytest.mark.parametrize("scripts", ["editable"], indirect=True)
def test_editable_installation_runs_our_packages(run):
    assert "usage: beamline run" in run("beamline", "run", "--help")
    assert "usage: beamline-score" in run("beamline-score", "--help")


@pytest.mark.parametrize("scripts", ["wheel"], indirect=True)
def test_commands_run_our_packages_in_every_process(run, foreign_folder):
    assert "score:  beamline-score images.npy --model digits" in run("beamline", "run", *DATA)
    assert "score:  beamline-score images.npy\n" in run("beamline", "sample", *DATA)
    assert "(digits version 1)" in run("beamline-score", "images.npy", "--probabilities")
    compared = run("beamline", "compare", "linear", "linear-sigmoid", *DATA)
    assert "no significant difference between linear and linear-sigmoid" in compared
    tuned = run("beamline", "tune", *DATA, "--trials", "1")
    assert "run:    beamline run --preset " in tuned
    event = json.loads((foreign_folder / "models/digits/history.jsonl").read_text())
    assert event["user"] == str(os.getuid())
    for command in (["runs"], ["show", "1"], ["diff", "1", "2"], ["history", "digits"], ["clean", "--dry-run"]):
        assert run("beamline", *command)
    assert run("beamline", "doctor", *DATA[:4]).splitlines()[-1].startswith("ok    data")
    assert run("beamline", "schema", "1", "--out", "digits.json")
    assert "serves already" in run("beamline", "promote", "1", "--reason", "a trial")
