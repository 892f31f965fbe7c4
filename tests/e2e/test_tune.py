"""A search on a small data set: one that was killed and continued has the results of one that was not stopped."""

from __future__ import annotations

import json
import os
import re
import signal

import pytest

pytestmark = pytest.mark.exhaustive


@pytest.fixture(scope="module")
def command(data_dir):
    small = ("--train.hidden", "16", "--train.epochs", "3", "--evaluate.min-accuracy", "0.1")
    return ("pipeline", "tune", "--dataset", "tiny", "--data-dir", str(data_dir), *small, "--trials", "4")


@pytest.fixture(scope="module")
def whole(new_project, command):
    project = new_project()
    return project, project.command(*command)


def results(output):
    """The line of each trial, without its duration."""
    return re.findall(r"(trial +\d+ of \d+ +\S+) +[\d.]+ s( .*)", output)


def best(project):
    (file,) = (project.folder / "runs" / "tuning").glob("*/best-*.json")
    return json.loads(file.read_text())


def test_search_ends_with_a_preset_and_one_use_of_the_test_set(whole):
    project, done = whole
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert len(results(done.stdout)) == 4
    assert "epoch 1/" not in done.stdout.split("4 trials;")[0]
    if best(project)["hidden"] == [16] and best(project)["epochs"] == 3:
        assert "no trial was better" in done.stdout
        return
    (comparison,) = (project.folder / "runs" / "comparisons").glob("*.json")
    presets = [entry["preset"] for entry in json.loads(comparison.read_text())["entries"]]
    assert [name.split("-")[0] for name in presets] == ["best", "baseline"]
    assert re.search(r"on the test set \S+ against \S+: \d+ gained, \d+ lost", done.stdout)
    run = re.search(r"run:    python -m (pipeline run .*)", done.stdout)[1].split()
    again = project.command(*run)
    assert again.returncode == 0, again.stdout
    assert "train      cached" in again.stdout


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_stopped_search_continues(whole, command, new_project, number):
    project = new_project()
    with project.started(*command) as process:
        for line in process.stdout:
            if line.startswith("trial  2"):
                # The third has begun, or is about to.
                os.killpg(process.pid, number)
                break
        rest = process.stdout.read()
    assert process.returncode == (-9 if number == signal.SIGKILL else 130), rest
    done = project.command(*command)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 trials are already finished" in done.stdout
    assert results(done.stdout) == results(whole[1].stdout)[2:]
    assert best(project) == best(whole[0])
    again = project.command(*command)
    assert results(again.stdout) == []
    (study,) = (project.folder / "runs" / "tuning").glob("*/study.db")
    left = {file.name.split("-")[0] for file in study.parent.iterdir()}
    assert left == {"study.db", "best", "baseline"}
