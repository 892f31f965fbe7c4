"""The data contract in a whole run: bad data stop it with their rows, and what was let through is shown."""

from __future__ import annotations

import json
import re

import pytest

from tests import tiny_set

pytestmark = pytest.mark.exhaustive

LEAK = re.compile(
    r"test: 11 of 200 images \(5\.5 %\) are in the training split too, more than "
    r"--validate\.max-leaked-fraction 0\.001 allows: "
    r"(row \d+ has the same pixels as train row \d+, ){4}row \d+ has the same pixels as train row \d+ and 6 more "
    r"\(leaks\)"
)


@pytest.fixture(scope="module")
def leaking(tmp_path_factory):
    """A small data set in which 11 test images are in the training split too."""
    folder = tmp_path_factory.mktemp("leaking")
    tiny_set.prepare(folder, leaked=11)
    return folder


@pytest.fixture(scope="module")
def stopped(new_project, leaking):
    project = new_project()
    done = project.command("pipeline", "run", "--dataset", "tiny", "--data-dir", str(leaking))
    return project, done


def test_leaking_test_images_stop_the_run_with_their_rows(stopped):
    project, done = stopped
    assert done.returncode == 3, done.stdout + done.stderr
    assert LEAK.search(done.stdout)
    assert "Traceback" not in done.stdout + done.stderr
    assert project.executed() == ["ingest", "analyze", "validate"]
    assert project.last_run()["verdict"] == "refused"
    assert not (project.folder / "models").exists()
    (anomaly,) = json.loads((project.artifact("validate") / "payload/anomalies.json").read_text())["found"]
    assert (anomaly["rule"], anomaly["severity"], len(anomaly["rows"]["test"])) == ("leaks", "error", 11)


def test_leaks_that_are_a_warning_are_let_through_and_shown(stopped, leaking, tmp_path):
    project = stopped[0].copied(tmp_path / "beamline")
    flags = ("--dataset", "tiny", "--data-dir", str(leaking), "--evaluate.min-accuracy", "0.9")
    done = project.command("pipeline", "run", *flags, "--validate.warn", "leaks", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    (event,) = [event for event in events if event["event"] == "step" and event["step"] == "validate"]
    assert (event["passed"], len(event["reasons"])) == (True, 1)
    assert LEAK.search(event["reasons"][0])
    assert "1 warning (leaks)" in event["message"]
    assert "\ndata:   test: 11 of 200 images" in events[-1]["message"]
    shown = project.command("pipeline", "show", "2").stdout
    assert re.search(r"^data       " + LEAK.pattern, shown, re.MULTILINE)


def test_schema_of_a_refused_run_stops_other_data(stopped, tmp_path):
    project = stopped[0].copied(tmp_path / "beamline")
    written = project.command("pipeline", "schema", "1", "--out", "frozen.json", blocked=True)
    assert (written.returncode, written.stderr) == (0, "")
    tiny_set.prepare(tmp_path / "tfds", class_names=(*tiny_set.CLASS_NAMES[:3], "corner, right"))
    flags = ("--dataset", "tiny", "--data-dir", str(tmp_path / "tfds"), "--validate.schema", "frozen.json")
    done = project.command("pipeline", "run", *flags)
    assert done.returncode == 3, done.stdout + done.stderr
    text = "train: class 3 is corner, right, the schema's is corner, left (schema)"
    assert f"refused at validate after {project.last_run()['seconds']:.1f} s: {text}\n" in done.stdout
