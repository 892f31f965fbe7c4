"""resources: too little memory or space, and folders that cannot be written."""

from __future__ import annotations

from pipeline.health import resources
from tests.pipeline.health.doctor_output import to_do


def test_too_little_space_and_memory_are_reported(healthy_project, monkeypatch, capsys):
    monkeypatch.setattr(resources, "RUN_SPACE_BYTES", 1 << 60)
    monkeypatch.setattr(resources, "available_memory_bytes", lambda: 10**9)
    lines = to_do(capsys)
    assert "1.0 GB free, a run needs up to 2.0 GB: close other programs" in lines[0]
    assert [line.split()[2] for line in lines[1:]] == ["--runs", "--models", "--data-dir"]


def test_folder_that_cannot_be_written_is_named(healthy_project, capsys):
    (healthy_project.folder / "file").touch()
    (line,) = to_do(capsys, "--runs", "file/runs")
    assert "--runs file/runs cannot be written: Not a directory" in line
