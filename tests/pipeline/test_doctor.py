"""doctor: whatever is not as it should be gets a line that says what to do, and the exit code says so."""

from __future__ import annotations

import json
import os
import shutil
from importlib.metadata import PackageNotFoundError

import pytest

import components.sources.tfds_set
from pipeline import doctor as doctor_module
from pipeline.__main__ import main
from pipeline.history import History
from pipeline.options import parse_run
from pipeline.tracking.memory import Memory, write_memory
from serving.files import replace_text
from serving.pointer import held
from serving.registry import Registry
from tests.serving.tiny_bundle import evidence, publish, seal


class KilledError(Exception):
    """Stands for a process that is no more."""


@pytest.fixture
def place(toy, made, monkeypatch):
    """A folder with a healthy store, history and registry, and a prepared data set; no network."""
    monkeypatch.chdir(toy.folder)
    monkeypatch.setattr(components.sources.tfds_set, "refusal", lambda url: "cannot be reached (no network)")
    monkeypatch.setenv("TFDS_DATA_DIR", str(toy.folder / "tfds"))
    toy.run()
    history = History(toy.store.root)
    history.begin(history.next_run(), parse_run([]))
    publish(Registry(toy.folder / "models"), made.bundle.opened(), "tiny", "0001")
    return toy


def findings(capsys, *arguments: str) -> tuple[int, list[str]]:
    code = main(["doctor", *arguments])
    return code, capsys.readouterr().out.splitlines()


def to_do(capsys, *arguments: str) -> list[str]:
    """The lines that say what to do; there is one for each, and the exit code says so."""
    code, lines = findings(capsys, *arguments)
    wanted = [line for line in lines if line.startswith("do ")]
    assert code == int(bool(wanted))
    return wanted


def test_healthy_place_has_a_line_for_everything(place, capsys):
    code, lines = findings(capsys)
    assert code == 0
    said = "\n".join(lines)
    for words in ("python", "tensorflow 2.", "importlib_resources", "may be used", "GB free", "--runs runs"):
        assert words in said
    assert "3 artifacts in runs/artifacts as they were committed" in said
    assert "1 of 1 runs in runs/history can be read" in said
    assert "tiny version 1 serves" in said
    assert "note  data         mnist is not prepared" in said
    assert "digits is there without it" in said


def test_empty_place_is_healthy_and_stays_empty(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(components.sources.tfds_set, "refusal", lambda url: None)
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    code, lines = findings(capsys)
    assert code == 0
    assert any(line.endswith("mnist can be fetched") for line in lines)
    assert list(tmp_path.iterdir()) == []


def test_damaged_artifact_is_named_with_its_file(place, capsys):
    (artifact,) = (place.store.root / "artifacts").glob("gate-*")
    (artifact / "payload" / "number.json").write_text("changed")
    (line,) = to_do(capsys)
    assert f"{artifact.name} is damaged (number.json was changed): delete it" in line


def test_what_is_no_artifact_and_what_was_interrupted_is_noted(place, capsys):
    (place.store.root / "artifacts" / "foreign").mkdir()
    (place.store.root / ".staging" / "train-abc").mkdir(parents=True)
    code, lines = findings(capsys)
    assert code == 0
    assert any(line.startswith("note  store") and "foreign is no whole artifact" in line for line in lines)
    assert any(line.startswith("note  staging") and "train-abc" in line for line in lines)


def test_damaged_record_of_a_run_is_named(place, capsys):
    (place.store.root / "history" / "0001.json").write_text("{")
    (line,) = to_do(capsys)
    assert "runs/history/0001.json is no run's record" in line


def test_damaged_version_is_named_with_its_file(place, capsys):
    with (place.folder / "models/tiny/1/model.onnx").open("ab") as file:
        file.write(b"more")
    lines = to_do(capsys)
    assert len(lines) == 2
    assert all("model.onnx" in line for line in lines)
    assert "tiny cannot serve" in lines[1]


def test_damaged_pointer_and_a_promotion_that_was_cut_off_are_named(place, capsys):
    (place.folder / "models/tiny/promoted.json").write_text("{}")
    (place.folder / "models/tiny/.incoming-2").mkdir()
    lines = to_do(capsys)
    assert ".incoming-2 was left by a promotion" in lines[0]
    assert "promoted.json is damaged" in lines[1]


def test_pointer_that_cannot_be_read_is_named(place, capsys):
    (place.folder / "models/tiny/promoted.json").unlink()
    (place.folder / "models/tiny/promoted.json").mkdir()
    (line,) = to_do(capsys)
    assert "tiny cannot serve" in line


def test_model_that_serves_nothing_is_noted_and_one_that_lost_its_pointer_is_to_be_seen_to(place, capsys):
    (place.folder / "models/tiny/promoted.json").unlink()
    (line,) = to_do(capsys)
    assert "models/tiny has a history and no promoted.json: say what shall serve with" in line
    assert "`python -m pipeline rollback tiny --to 1 --reason TEXT`" in line
    (place.folder / "models/tiny/history.jsonl").unlink()
    assert "note  registry     models/tiny promotes no version" in findings(capsys)[1]


def test_lines_that_the_history_lacks_are_told_with_what_to_do(place, capsys):
    lines = place.folder / "models/tiny/history.jsonl"
    lines.write_bytes(b"damaged\n" + lines.read_bytes())
    (line,) = to_do(capsys)
    assert "models/tiny/history.jsonl: line 1 cannot be read: put it right" in line
    pointer = place.folder / "models/tiny/promoted.json"
    said = json.loads(pointer.read_text())
    said["event"]["sequence"] = 3
    pointer.write_text(json.dumps(said))
    lines.write_text("")
    (line,) = to_do(capsys)
    assert "models/tiny/history.jsonl lacks 2 moves, the first is number 1: put them back" in line


def test_rollback_and_what_servers_are_told_wrongly_are_noted(place, capsys):
    publish(Registry(place.folder / "models"), seal(place.folder / "second"), "other", "0001")
    with held(Registry(place.folder / "models"), "other") as pointer:
        pointer.promote(seal(place.folder / "third", seed=1), evidence("0002"), "it is better")
        pointer.roll_back(None, "slow at night")
    (place.folder / "models/other/config.pbtxt").unlink()
    code, lines = findings(capsys)
    assert code == 0
    noted = [line for line in lines if line.startswith("note  registry")]
    assert len(noted) == 2
    assert "models/other/config.pbtxt does not name version 1" in noted[0]
    assert "other was rolled back from version 2, " in noted[1]
    assert noted[1].endswith(": slow at night")


def test_file_that_a_killed_command_left_is_noted(place, capsys, monkeypatch):
    registry = Registry(place.folder / "models")

    def die(source, target):
        raise KilledError

    with monkeypatch.context() as patched:
        patched.setattr("os.replace", die)
        # A killed process does not tidy up.
        patched.setattr("pathlib.Path.unlink", lambda path, missing_ok=False: None)
        with held(registry, "tiny"), pytest.raises(KilledError):
            replace_text(registry.root / "tiny" / "promoted.json", "{}")
        with pytest.raises(KilledError):
            replace_text(registry.root / "models.config", "")
    (registry.root / "tiny" / "notes.2026").touch()
    code, lines = findings(capsys)
    assert code == 0
    assert [line.split()[2] for line in lines if "was when a command was killed" in line] == [
        f"models/.models.config.{os.getpid()}",
        f"models/tiny/.promoted.json.{os.getpid()}",
    ]


def test_alias_that_is_behind_is_noted(place, capsys):
    folder = place.folder / "models/tiny"
    write_memory(folder, Memory("sqlite:///mlflow.db", "sqlite:///mlflow.db", "tiny", followed=1))
    assert "MLflow" not in "\n".join(findings(capsys)[1])
    write_memory(folder, Memory("sqlite:///mlflow.db", "sqlite:///mlflow.db", "tiny", followed=0))
    code, lines = findings(capsys)
    assert code == 0
    assert "note  tracking     MLflow was not told yet that tiny version 1 serves: the next run, " in "\n".join(lines)
    (folder / "tracking.json").write_text("{}")
    (line,) = to_do(capsys)
    assert "tracking.json cannot be read" in line


def test_missing_version_is_named(place, capsys):
    shutil.rmtree(place.folder / "models/tiny/1")
    (line,) = to_do(capsys)
    assert "tiny cannot serve" in line


def test_data_set_that_was_named_must_be_there(place, capsys):
    (line,) = to_do(capsys, "--dataset", "mnist")
    assert "cannot be reached (no network): put these files in a folder" in line
    (line,) = to_do(capsys, "--manual-dir", "nowhere")
    assert "--manual-dir nowhere is no folder" in line


def test_embedded_and_prepared_sets_are_there(place, made, capsys):
    assert findings(capsys, "--dataset", "digits")[1][-1].endswith("digits will be prepared from its own package")
    code, lines = findings(capsys, "--dataset", "tiny", "--data-dir", str(made.data_dir))
    assert (code, lines[-1]) == (0, f"ok    data         tiny is prepared in {made.data_dir}")


def test_folder_that_is_none_is_named(place, capsys):
    (place.folder / "file").touch()
    (line,) = to_do(capsys, "--runs", "file/runs")
    assert "--runs file/runs cannot be written: Not a directory" in line


@pytest.mark.parametrize("missing", ["tensorflow", "importlib_resources"])
def test_missing_and_old_packages_are_named_with_the_extra(place, monkeypatch, capsys, missing):
    real = doctor_module.version

    def version(name):
        if name == missing:
            raise PackageNotFoundError(name)
        return "1.16.2" if name == "tf2onnx" else real(name)

    monkeypatch.setattr(doctor_module, "version", version)
    lines = to_do(capsys)
    assert f"{missing} is not installed" in lines[0]
    assert "tf2onnx 1.16.2 is older than 1.17" in lines[1]
    assert all("'.[pipeline]' in Beamline's folder" in line for line in lines)


def test_too_little_space_and_memory_are_said(place, monkeypatch, capsys):
    monkeypatch.setattr(doctor_module, "RUN_SPACE_BYTES", 1 << 60)
    monkeypatch.setattr(doctor_module, "memory_bytes", lambda: 10**9)
    lines = to_do(capsys)
    assert "1.0 GB free, a run takes up to 2.0 GB: make room" in lines[0]
    assert [line.split()[2] for line in lines[1:]] == ["--runs", "--models", "--data-dir"]


def test_other_versions_than_the_locked_ones_are_noted(place, capsys):
    (place.folder / "requirements.lock").write_text("tensorflow==0.1 \\\n    --hash=sha256:0\n")
    code, lines = findings(capsys)
    assert code == 0
    assert any(
        line.startswith("note  packages") and "not as in requirements.lock: tensorflow" in line for line in lines
    )
