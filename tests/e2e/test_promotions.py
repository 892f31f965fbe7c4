"""What serves, by commands: a run promotes, a rollback takes it back, no night brings it back, a person does."""

from __future__ import annotations

import json
import re
import shutil

import pytest

pytestmark = pytest.mark.exhaustive


@pytest.fixture(scope="module")
def run(data_dir):
    flags = ("pipeline", "run", "--dataset", "tiny", "--data-dir", str(data_dir), "--evaluate.min-accuracy", "0.5")
    return lambda project, *more, blocked=False: project.command(*flags, *more, blocked=blocked)


@pytest.fixture(scope="module")
def twice(new_project, run):
    """Two versions; the second one serves."""
    project = new_project()
    for epochs in ("5", "6"):
        done = run(project, "--train.epochs", epochs)
        assert done.returncode == 0, done.stdout + done.stderr
    return project


@pytest.fixture
def project(twice, tmp_path):
    return twice.copied(tmp_path / "beamline")


def serving(project):
    return json.loads((project.folder / "models/tiny/promoted.json").read_text())["version"]


def flags(project, model="tiny"):
    return [json.loads(line) for line in (project.folder / f"models/{model}/history.jsonl").read_text().splitlines()]


def test_second_version_was_compared_with_the_first(project):
    promote = project.last_run()["steps"][-1]
    assert re.search(
        r"compared with champion version 1 on the same 200 test images: \d+ gained, \d+ lost", promote["summary"]
    )
    assert [(line["from"], line["to"], line["run"]) for line in flags(project)] == [(None, 1, "0001"), (1, 2, "0002")]


def test_rollback_promote_and_history_without_tensorflow_or_beam(project, run):
    rolled = project.command("pipeline", "rollback", "tiny", "--reason", "slow at night", blocked=True)
    assert (rolled.returncode, rolled.stderr) == (0, "")
    assert rolled.stdout.startswith("tiny version 1 serves now instead of version 2, sha256 ")
    assert serving(project) == 1

    nightly = run(project, "--train.epochs", "6")
    assert nightly.returncode == 3
    assert "rolled back a version with these weights at " in nightly.stdout
    assert (
        "(slow at night): to promote it anyway, use `python -m pipeline promote 0003 --reason TEXT`" in nightly.stdout
    )
    assert serving(project) == 1

    again = project.command("pipeline", "promote", "3", "--reason", "it was the disk", blocked=True)
    assert (again.returncode, again.stderr) == (0, "")
    assert again.stdout.startswith("tiny version 2 serves now")
    assert serving(project) == 2
    assert run(project, "--train.epochs", "6", blocked=True).returncode == 0

    history = project.command("pipeline", "history", "tiny", blocked=True)
    assert (history.returncode, history.stderr) == (0, "")
    lines = history.stdout.splitlines()
    assert len(lines) == 5
    for line, text in zip(
        lines[1:],
        (("promote", "- -> 1", "0001"), ("promote", "1 -> 2", "0002"), ("rollback", "2 -> 1"), ("promote", "1 -> 2")),
        strict=True,
    ):
        assert all(word in line for word in text)
    assert "slow at night" in lines[3]
    assert "it was the disk" in lines[4]
    assert flags(project)[-1]["reason"] == "it was the disk"


def test_run_that_a_gate_refused_has_nothing_to_promote(project, run):
    refused = run(project, "--evaluate.min-accuracy", "0.9999")
    assert refused.returncode == 3
    before = project.registry()
    done = project.command("pipeline", "promote", "3", "--reason", "I want it", blocked=True)
    assert done.returncode == 3
    assert "run 0003 has nothing to promote: export has no artifact (refused by evaluate: accuracy" in done.stderr
    assert project.registry() == before


def test_run_whose_artifacts_are_gone_or_damaged_is_not_promoted(project):
    before = project.registry()
    (bundle,) = [
        project.folder / "runs/artifacts" / step["artifact"]
        for step in project.last_run()["steps"]
        if step["name"] == "export"
    ]
    with (bundle / "payload/model.onnx").open("ab") as model:
        model.write(b"more")
    done = project.command("pipeline", "promote", "2", "--reason", "again", blocked=True)
    assert done.returncode == 4
    assert "the output of export was changed after it was stored (model.onnx was changed)" in done.stderr
    shutil.rmtree(bundle)
    done = project.command("pipeline", "promote", "2", "--reason", "again", blocked=True)
    assert done.returncode == 2
    assert "the output of export is no longer in runs: repeat the run" in done.stderr
    assert project.registry() == before


def test_worse_candidate_is_refused_with_counts_and_p_and_the_champion_stays(project, run):
    before = project.registry()
    done = run(project, "--preset", "linear-sigmoid", "--train.epochs", "1", "--evaluate.min-accuracy", "0.2")
    assert done.returncode == 3
    assert re.search(
        r"REFUSED: compared with champion version 2 on the same 200 test images: \d+ gained, \d+ lost; "
        r"these two models differ by -0\.\d+ \(90 % interval -\S+ to -\S+, McNemar's p \S+\): the candidate is "
        r"significantly worse by more than the margin 0\.0040",
        done.stdout,
    )
    assert project.registry() == before
    forced = project.command(
        *(
            "pipeline",
            "promote",
            "3",
            "--reason",
            "a trial",
            "--promote.compare",
            "off",
            "--promote.max-drop-fraction",
            "1",
        ),
        blocked=True,
    )
    assert forced.returncode == 0, forced.stderr
    assert serving(project) == 3


def test_rollback_to_a_damaged_version_is_refused(project):
    with (project.folder / "models/tiny/1/model.onnx").open("ab") as model:
        model.write(b"more")
    before = project.registry()
    done = project.command("pipeline", "rollback", "tiny", "--reason", "slow", blocked=True)
    assert done.returncode == 4
    assert "model.onnx was changed after the export" in done.stderr
    assert project.registry() == before


def test_doctor_reports_rollbacks_and_outdated_server_files(project):
    project.command("pipeline", "rollback", "tiny", "--reason", "slow at night", blocked=True)
    (project.folder / "models/tiny/config.pbtxt").write_text("")
    output = project.command("pipeline", "doctor").stdout
    assert re.search(r"note +registry +tiny was rolled back from version 2, \S+: slow at night", output)
    assert re.search(r"note +registry +models/tiny/config.pbtxt does not name version 1", output)
