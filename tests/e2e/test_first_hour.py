"""A fresh machine without a network: digits, the messages, and the switches that a person tries next."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from tests.documents import shown
from tests.e2e.shown import OFFLINE, add_makefile, run_everything
from tests.e2e.shown import run as run_shown
from tests.e2e.test_tiny import STEPS
from tests.mnist_files import MNIST_SHA256

pytestmark = pytest.mark.exhaustive


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    """TFDS's folder in a place of the test's own."""
    return tmp_path_factory.mktemp("tfds")


@pytest.fixture(scope="module")
def run(data_dir):
    """Runs a command without network."""

    def run(project, *arguments, blocked=False):
        return project.command(*arguments, blocked=blocked, TFDS_DATA_DIR=str(data_dir), **OFFLINE)

    return run


@pytest.fixture(scope="module")
def first(new_project, data_dir):
    """The first command of the README, on a new machine."""
    project, begin = new_project(), shown("README.md")[0]
    assert begin.text == "make pipeline"
    add_makefile(project)
    return project, run_shown(project, begin, data_dir)


def assert_lists_mnist(printed):
    """Each of the four files with its digest, and the URL to download it from."""
    for name, digest in MNIST_SHA256.items():
        assert re.search(rf"{digest}  https://\S+/{re.escape(name)}\n", printed), name


def test_every_other_command_of_the_readme_runs_as_written(first, data_dir, tmp_path):
    run_everything(shown("README.md")[1:], first[0].copied(tmp_path / "beamline"), data_dir)


def test_digits_are_promoted_and_the_notice_says_why(first):
    project, done = first
    assert done.returncode == 0, done.stdout + done.stderr
    assert project.executed() == STEPS
    assert json.loads((project.folder / "models/digits/promoted.json").read_text())["version"] == 1
    assert not (project.folder / "models/mnist").exists()
    notice = [line for line in done.stdout.splitlines() if line.startswith("NOTICE")]
    assert "mnist is not prepared" in notice[0]
    assert "storage.googleapis.com cannot be reached" in notice[0]
    assert "this run uses digits instead" in notice[1]
    assert_lists_mnist(done.stdout)
    assert done.stdout.index("NOTICE") < done.stdout.index("ingest")


def test_sample_and_score_need_no_name(first, run):
    project, _ = first
    sampled = run(project, "pipeline", "sample", "--split", "test", "--out", "images.npy", blocked=True)
    assert sampled.returncode == 0, sampled.stdout + sampled.stderr
    scored = run(project, "serving.batch_score", "images.npy", blocked=True)
    assert scored.returncode == 0, scored.stderr
    rows = (project.folder / "images.predictions.csv").read_text().splitlines()[1:]
    predicted = np.array([int(row.split(",")[1]) for row in rows])
    gate = json.loads((project.folder / "models/digits/1/manifest.json").read_text())["gate"]
    assert (predicted == np.load(project.folder / "images.labels.npy")).mean() == gate["accuracy"]


@pytest.mark.parametrize("before", [False, True])
def test_mnist_asked_for_or_promoted_before_is_never_replaced(new_project, run, before):
    project = new_project()
    if before:
        (project.folder / "models/mnist/1").mkdir(parents=True)
    done = run(project, "pipeline", "run", *([] if before else ["--dataset", "mnist"]))
    assert done.returncode == 1
    assert_lists_mnist(done.stdout)
    assert "--manual-dir FOLDER" in done.stdout
    assert project.outcomes() == {"ingest": "failed"} | dict.fromkeys(STEPS[1:], "skipped")
    assert not (project.folder / "models/digits").exists()


def test_force_executes_everything_and_makes_the_same_bytes(first, run, tmp_path):
    project = first[0].copied(tmp_path / "beamline")
    before = project.digests()
    done = run(project, "pipeline", "run", "--force", "--explain", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert project.executed() == STEPS
    assert {name: digest for name, digest in project.digests().items() if name != "promote"} == {
        name: digest for name, digest in before.items() if name != "promote"
    }
    assert json.loads((project.folder / "models/digits/promoted.json").read_text())["version"] == 1
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert events[0]["event"] == "notice"
    assert [event["step"] for event in events if event["event"] == "step"] == STEPS
    assert {tuple(event["because"]) for event in events if event["event"] == "step"} == {("--force",)}
    assert [event["epoch"] for event in events if event["event"] == "epoch"] == [1, 2, 3, 4, 5]
    assert (events[-1]["event"], events[-1]["verdict"], events[-1]["exit_code"]) == ("end", "promoted", 0)


def test_explain_names_the_parameter_that_changed(first, run, tmp_path):
    project = first[0].copied(tmp_path / "beamline")
    done = run(project, "pipeline", "run", "--explain", "--evaluate.min-accuracy", "0.8")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    at = next(index for index, line in enumerate(lines) if line.startswith("evaluate   executed"))
    assert lines[at + 1].strip() == "because params min_accuracy: 0.84 -> 0.8 since run 0001"
    assert "because" not in "".join(lines[:at])


def test_quiet_says_nothing_of_what_went_well(first, run, tmp_path):
    project = first[0].copied(tmp_path / "beamline")
    done = run(project, "pipeline", "run", "--dataset", "digits", "--quiet", blocked=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
