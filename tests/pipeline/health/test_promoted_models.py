"""promoted_models: damaged versions, pointers and promotion events, and server files that name another version."""

from __future__ import annotations

import json
import re
import shutil

import pytest

from pipeline.tracking.server import TrackingState, write_tracking_state
from serving.files import replace_text
from serving.registry.pointer import lock_pointer
from serving.registry.registry import Registry
from tests.pipeline.health.doctor_output import findings, to_do
from tests.serving.tiny_bundle import evidence, publish, seal


class KilledError(Exception):
    """Raised by a test in place of a kill of the process."""


def test_damaged_version_is_named_with_its_file(healthy_project, capsys):
    with (healthy_project.folder / "models/tiny/1/model.onnx").open("ab") as file:
        file.write(b"more")
    lines = to_do(capsys)
    assert len(lines) == 2
    assert all("model.onnx" in line for line in lines)
    assert "tiny cannot serve" in lines[1]


def test_damaged_pointer_and_interrupted_promotion_are_named(healthy_project, capsys):
    (healthy_project.folder / "models/tiny/promoted.json").write_text("{}")
    (healthy_project.folder / "models/tiny/.incoming-2").mkdir()
    lines = to_do(capsys)
    assert ".incoming-2 was left by an interrupted promotion" in lines[0]
    assert "promoted.json is damaged" in lines[1]


def test_pointer_that_cannot_be_read_is_named(healthy_project, capsys):
    (healthy_project.folder / "models/tiny/promoted.json").unlink()
    (healthy_project.folder / "models/tiny/promoted.json").mkdir()
    (line,) = to_do(capsys)
    assert "tiny cannot serve" in line


def test_missing_pointer_is_to_be_restored_unless_nothing_was_promoted(healthy_project, capsys):
    (healthy_project.folder / "models/tiny/promoted.json").unlink()
    (line,) = to_do(capsys)
    assert "models/tiny has promotion events and no promoted.json: choose the version with" in line
    assert "`python -m pipeline rollback tiny --to 1 --reason TEXT`" in line
    (healthy_project.folder / "models/tiny/history.jsonl").unlink()
    assert "note  registry     models/tiny has no promoted version" in findings(capsys)[1]


def test_damaged_and_missing_promotion_events_are_named(healthy_project, capsys):
    lines = healthy_project.folder / "models/tiny/history.jsonl"
    lines.write_bytes(b"damaged\n" + lines.read_bytes())
    (line,) = to_do(capsys)
    assert "models/tiny/history.jsonl: line 1 cannot be read: correct or restore it" in line
    pointer = healthy_project.folder / "models/tiny/promoted.json"
    content = json.loads(pointer.read_text())
    content["event"]["sequence"] = 3
    pointer.write_text(json.dumps(content))
    lines.write_text("")
    (line,) = to_do(capsys)
    assert "models/tiny/history.jsonl has 2 promotion events missing (first: number 1): restore them" in line


def test_rollback_and_missing_server_file_are_noted(healthy_project, capsys):
    publish(Registry(healthy_project.folder / "models"), seal(healthy_project.folder / "second"), "other", "0001")
    with lock_pointer(Registry(healthy_project.folder / "models"), "other") as pointer:
        pointer.promote(seal(healthy_project.folder / "third", seed=1), evidence("0002"), "it is better")
        pointer.roll_back(None, "slow at night")
    (healthy_project.folder / "models/other/config.pbtxt").unlink()
    code, lines = findings(capsys)
    assert code == 0
    noted = [line for line in lines if line.startswith("note  registry")]
    assert len(noted) == 2
    assert "models/other/config.pbtxt does not name version 1" in noted[0]
    assert "other was rolled back from version 2, " in noted[1]
    assert noted[1].endswith(": slow at night")


def test_temporary_file_of_a_killed_command_is_noted(healthy_project, capsys, monkeypatch):
    registry = Registry(healthy_project.folder / "models")

    def die(source, target):
        raise KilledError

    with monkeypatch.context() as patched:
        patched.setattr("os.replace", die)
        # A killed process deletes no temporary files.
        patched.setattr("os.unlink", lambda path: None)
        with lock_pointer(registry, "tiny"), pytest.raises(KilledError):
            replace_text(registry.root / "tiny" / "promoted.json", "{}")
        with pytest.raises(KilledError):
            replace_text(registry.root / "models.config", "")
    (registry.root / "tiny" / "notes.2026").touch()
    code, lines = findings(capsys)
    assert code == 0
    named = [line.split()[2] for line in lines if "is a temporary file of a running or killed command" in line]
    assert [re.sub(r"\.[0-9a-f]{16}\.new$", "", name) for name in named] == [
        "models/.models.config",
        "models/tiny/.promoted.json",
    ]


def test_alias_that_is_not_up_to_date_is_noted(healthy_project, capsys):
    folder = healthy_project.folder / "models/tiny"
    write_tracking_state(folder, TrackingState("sqlite:///mlflow.db", "sqlite:///mlflow.db", "tiny", followed=1))
    assert "MLflow" not in "\n".join(findings(capsys)[1])
    write_tracking_state(folder, TrackingState("sqlite:///mlflow.db", "sqlite:///mlflow.db", "tiny", followed=0))
    code, lines = findings(capsys)
    assert code == 0
    assert "note  tracking     MLflow's alias is not at tiny version 1, which serves: the next run, " in "\n".join(
        lines
    )
    (folder / "tracking.json").write_text("{}")
    (line,) = to_do(capsys)
    assert "tracking.json cannot be read" in line


def test_missing_version_is_named(healthy_project, capsys):
    shutil.rmtree(healthy_project.folder / "models/tiny/1")
    (line,) = to_do(capsys)
    assert "tiny cannot serve" in line


def test_version_that_only_its_owner_can_read_is_noted(healthy_project, capsys):
    (healthy_project.folder / "models/tiny/1").chmod(0o700)
    code, lines = findings(capsys)
    assert code == 0
    assert any(line.startswith("note  registry     models/tiny/1 can be read only by its owner") for line in lines)
