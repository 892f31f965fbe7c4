"""child_process: a run in a child process is Beamline's own, and its exit code is returned."""

from __future__ import annotations

import pytest

from pipeline.comparison.child_process import run_in_child_process


@pytest.mark.parametrize("path", ["", "."])
def test_child_runs_our_packages_in_any_folder(foreign_folder, monkeypatch, path, capfd):
    monkeypatch.setenv("PYTHONPATH", path)
    assert run_in_child_process(["--help"], foreign_folder / "runs") == (0, None)
    assert capfd.readouterr().out.startswith("usage: python -m pipeline run ")
    assert run_in_child_process(["--no-such-flag"], foreign_folder / "runs") == (2, None)
