"""doctor: one line for each check, and an exit code that shows whether the user must act."""

from __future__ import annotations

from tests.pipeline.health.doctor_output import findings


def test_healthy_project_has_a_line_for_each_check(healthy_project, capsys):
    code, lines = findings(capsys)
    assert code == 0
    output = "\n".join(lines)
    for text in ("python", "tensorflow 2.", "importlib_resources", "can be used", "GB free", "--runs runs"):
        assert text in output
    assert "3 artifacts in runs/artifacts are unchanged" in output
    assert "1 of 1 runs in runs/history can be read" in output
    assert "tiny version 1 serves" in output
    assert "note  data         mnist is not prepared" in output
    assert "digits is available without it" in output


def test_empty_folder_is_healthy_and_stays_empty(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("components.ingest.tfds.tfds_source.unreachable_reason", lambda url: None)
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    code, lines = findings(capsys)
    assert code == 0
    assert any(line.endswith("mnist can be fetched") for line in lines)
    assert list(tmp_path.iterdir()) == []


def test_user_without_a_home_folder_gets_every_finding(healthy_project, no_home, capsys, monkeypatch):
    code, lines = findings(capsys)
    assert code == 1
    *others, last = lines
    assert not [line for line in others if line.startswith("fix")]
    assert "tiny version 1 serves" in "\n".join(others)
    assert last.startswith(
        "fix   data         the folder of prepared data sets is ~/tensorflow_datasets, and no such home"
    )
    assert findings(capsys, "--dataset", "digits", "--data-dir", "sets")[0] == 0
