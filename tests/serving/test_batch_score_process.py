"""batch_score in its own process: as a command, without TensorFlow or Beam, and on a full disk."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.serving.tiny_bundle import publish, random_images

ROOT = Path(__file__).parents[2]

WITHOUT_TENSORFLOW = """
import sys

BLOCKED = {"tensorflow", "keras", "apache_beam", "tensorflow_datasets"}
asked = []


class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in BLOCKED:
            asked.append(name)
            raise ImportError(name + " is blocked")


sys.meta_path.insert(0, Blocker())
from serving.batch_score import main

code = main(sys.argv[1:])
print("asked for", asked, "loaded", sorted(BLOCKED & {name.partition(".")[0] for name in sys.modules}))
sys.exit(code)
"""

WITH_A_FULL_DISK = """
import resource
import sys

from serving.batch_score import main

resource.setrlimit(resource.RLIMIT_FSIZE, (500, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def run(registry, sealed, tmp_path):
    """Runs Python with the given arguments to score night/images.npy."""
    publish(registry, sealed, "tiny", "run-1")
    (tmp_path / "night").mkdir()
    np.save(tmp_path / "night" / "images.npy", random_images(50))

    def call(*arguments, stdout=subprocess.PIPE):
        command = [sys.executable, "-W", "error", *arguments]
        command += [str(tmp_path / "night" / "images.npy"), "--models", str(registry.root)]
        pipes = {"stdout": stdout, "stderr": subprocess.PIPE}
        return subprocess.run(command, cwd=ROOT, **pipes, text=True, timeout=600, check=False)

    return call


def names(tmp_path):
    return sorted(path.name for path in (tmp_path / "night").iterdir())


def test_command_scores_and_prints_one_line(run, tmp_path):
    done = run("-m", "serving.batch_score")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("50 images in ")
    assert done.stdout.count("\n") == 1
    assert names(tmp_path) == ["images.npy", "images.predictions.csv", "images.predictions.csv.json"]


def test_command_exits_with_the_code_of_the_error(run, tmp_path, registry):
    (registry.root / "tiny" / "1" / "model.onnx").write_bytes(b"another")
    done = run("-m", "serving.batch_score")
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith("batch_score: bundle ")
    assert done.stderr.count("\n") == 1
    assert names(tmp_path) == ["images.npy"]


def test_scoring_imports_neither_tensorflow_nor_beam(run, tmp_path):
    done = run("-c", WITHOUT_TENSORFLOW)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "asked for [] loaded []"
    assert "images.predictions.csv" in names(tmp_path)


def test_full_disk_exits_with_2_and_leaves_no_files(run, tmp_path):
    done = run("-c", WITH_A_FULL_DISK)
    assert (done.returncode, done.stdout) == (2, "")
    assert "cannot be written: File too large: give another path" in done.stderr
    assert done.stderr.count("\n") == 1
    assert names(tmp_path) == ["images.npy"]


def test_predictions_are_complete_if_standard_output_fails(run, tmp_path):
    with open("/dev/full", "w") as full:
        done = run("-m", "serving.batch_score", stdout=full)
    assert (done.returncode, done.stderr) == (0, "")
    assert names(tmp_path) == ["images.npy", "images.predictions.csv", "images.predictions.csv.json"]


@pytest.mark.parametrize("name", ["snow 雪.csv", "b\udcff.csv", "line\nend.csv"])
def test_name_that_cannot_be_printed_changes_nothing(run, tmp_path, monkeypatch, name):
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    done = run("-m", "serving.batch_score", "--out", str(tmp_path / name))
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / name).exists()
    assert (tmp_path / f"{name}.json").exists()
