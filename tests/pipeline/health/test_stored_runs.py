"""stored_runs: damaged and unfinished artifacts, and damaged records."""

from __future__ import annotations

from tests.pipeline.health.doctor_output import findings, to_do


def test_damaged_artifact_is_named_with_its_file(healthy_project, capsys):
    (artifact,) = (healthy_project.store.root / "artifacts").glob("gate-*")
    (artifact / "payload" / "number.json").write_text("changed")
    (line,) = to_do(capsys)
    assert f"{artifact.name} is damaged (number.json was changed): delete it" in line


def test_other_folders_and_interrupted_steps_are_noted(healthy_project, capsys):
    (healthy_project.store.root / "artifacts" / "foreign").mkdir()
    (healthy_project.store.root / ".staging" / "train-abc").mkdir(parents=True)
    code, lines = findings(capsys)
    assert code == 0
    assert any(line.startswith("note  store") and "foreign is not a complete artifact" in line for line in lines)
    assert any(line.startswith("note  staging") and "train-abc" in line for line in lines)


def test_damaged_record_is_named(healthy_project, capsys):
    (healthy_project.store.root / "history" / "0001.json").write_text("{")
    (line,) = to_do(capsys)
    assert "the record of run 0001 is damaged: runs/history/0001.json" in line
