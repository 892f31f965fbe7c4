"""Comparing presets on a small data set: rows for failures and refusals, promotion, and records."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.exhaustive

RECIPES = {
    "small": {"hidden": [16], "epochs": 8},
    "wide": {"hidden": [24], "epochs": 8},
    "hasty": {"hidden": [16], "epochs": 1, "learning_rate": 1e-6},
    "wild": {"hidden": [16], "epochs": 1, "optimizer": "sgd", "learning_rate": 1e38, "hidden_activation": "elu"},
}


@pytest.fixture(scope="module")
def flags(data_dir):
    return ("--dataset", "tiny", "--data-dir", str(data_dir), "--evaluate.min-accuracy", "0.95")


@pytest.fixture(scope="module")
def compared(new_project, flags):
    """A project that compared four presets and promoted the best one."""
    project = new_project()
    for name, recipe in RECIPES.items():
        (project.folder / f"{name}.json").write_text(json.dumps(recipe))
    presets = [f"{name}.json" for name in RECIPES]
    return project, project.command("pipeline", "compare", *presets, "--promote", *flags)


def saved(project, number="0001"):
    return json.loads((project.folder / "runs" / "comparisons" / f"{number}.json").read_text())


def verdicts(project):
    records = sorted((project.folder / "runs" / "history").glob("*.json"))
    return [json.loads(record.read_text())["verdict"] for record in records]


def test_every_preset_has_an_entry_and_the_best_is_promoted(compared):
    project, done = compared
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert verdicts(project) == ["passed", "passed", "refused", "failed", "promoted"]
    entries = {entry["preset"]: entry for entry in saved(project)["entries"]}
    assert {name: entry["verdict"] for name, entry in entries.items()} == {
        "small": "passed",
        "wide": "passed",
        "hasty": "refused",
        "wild": "failed",
    }
    assert (entries["hasty"]["step"], entries["wild"]["step"]) == ("evaluate", "train")
    assert "diverged" in entries["wild"]["reasons"][0]
    assert all((entry["rate"] is not None) == (entry["verdict"] == "passed") for entry in entries.values())
    assert len(saved(project)["pairs"]) == 3
    best = max(("small", "wide"), key=lambda name: (entries[name]["correct"], -entries[name]["parameters"]))
    assert f"{best} is the most accurate preset that passed every gate" in done.stdout
    promoted = json.loads((project.folder / "models/tiny/promoted.json").read_text())
    assert promoted["version"] == 1
    assert project.last_run()["config"]["train"]["preset"] == best
    assert project.executed() == ["promote"]


def test_shared_steps_are_executed_once(compared):
    project, _ = compared
    for step in ("ingest", "analyze", "validate", "transform"):
        assert len(list((project.folder / "runs" / "artifacts").glob(f"{step}-*"))) == 1


def test_figure_and_page_are_written_beside_the_json_file(compared):
    project, _ = compared
    folder = project.folder / "runs" / "comparisons"
    assert sorted(file.name for file in folder.iterdir()) == ["0001.html", "0001.json", "0001.png"]
    assert (folder / "0001.png").read_bytes().startswith(b"\x89PNG")
    page = (folder / "0001.html").read_text()
    assert "../reports/0001.html" in page
    assert "wild: training diverged" in page
    assert "http" not in page.replace("http://www.w3.org/", "").replace("http-equiv", "")


def test_commands_show_a_run_that_passed_without_promotion(compared):
    project, _ = compared
    listed = project.command("pipeline", "runs")
    assert "passed" in listed.stdout
    shown = project.command("pipeline", "show", "1")
    assert "run 0001: passed, tiny with small" in shown.stdout
    assert "--no-promotion" in shown.stdout
    assert "verdict" in project.command("pipeline", "diff", "1", "5").stdout
    for command in (("clean", "--dry-run"), ("doctor", "--dataset", "tiny", "--data-dir", "tfds")):
        assert "Traceback" not in project.command("pipeline", *command).stderr


def test_person_promotes_a_run_that_passed_without_promotion(compared, tmp_path):
    project = compared[0].copied(tmp_path / "beamline")
    # The preset that passed and was not promoted.
    other = {"small": "2", "wide": "1"}[project.last_run()["config"]["train"]["preset"]]
    done = project.command("pipeline", "promote", other, "--reason", "smaller", "--promote.compare", "off")
    assert done.returncode == 0, done.stderr
    assert json.loads((project.folder / "models/tiny/promoted.json").read_text())["version"] == 2


def test_second_comparison_trains_nothing_and_has_the_same_durations(compared, flags, tmp_path):
    project = compared[0].copied(tmp_path / "beamline")
    done = project.command("pipeline", "compare", "small.json", "wide.json", *flags, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["preset"] for event in events if event["event"] == "preset"] == ["small", "wide"]
    assert events[-1]["event"] == "comparison"
    before, after = saved(project, "0001")["entries"], saved(project, "0002")["entries"]
    for one, other in zip(before, after, strict=False):
        assert one["training_seconds"] == other["training_seconds"] > 0
        assert one["run"] != other["run"]
    assert verdicts(project)[-2:] == ["passed", "passed"]
    assert project.executed() == []
    assert json.loads((project.folder / "models/tiny/promoted.json").read_text())["version"] == 1
