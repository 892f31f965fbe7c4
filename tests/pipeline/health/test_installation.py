"""installation: packages that are missing, too old, or not the locked ones."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError

import pytest

from pipeline.health import installation
from tests.pipeline.health.doctor_output import findings, to_do


@pytest.mark.parametrize("missing", ["tensorflow", "importlib_resources"])
def test_missing_and_old_packages_are_to_be_installed_with_the_extra(healthy_project, monkeypatch, capsys, missing):
    real = installation.version

    def version(name):
        if name == missing:
            raise PackageNotFoundError(name)
        return "1.16.2" if name == "tf2onnx" else real(name)

    monkeypatch.setattr(installation, "version", version)
    lines = to_do(capsys)
    assert f"{missing} is not installed" in lines[0]
    assert "tf2onnx 1.16.2 is older than 1.17" in lines[1]
    assert all("'.[pipeline]' in Beamline's folder" in line for line in lines)


def test_versions_other_than_the_locked_ones_are_noted(healthy_project, capsys):
    (healthy_project.folder / "requirements.lock").write_text("tensorflow==0.1 \\\n    --hash=sha256:0\n")
    code, lines = findings(capsys)
    assert code == 0
    assert any(
        line.startswith("note  packages") and "not the versions of requirements.lock: tensorflow" in line
        for line in lines
    )
