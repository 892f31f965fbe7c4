"""README: every command of it is run as written, in order, on a machine without a network."""

from __future__ import annotations

from tests.e2e.shown import run_everything


def test_every_command_runs_as_written(new_project, tmp_path):
    run_everything("README.md", new_project(), tmp_path / "tfds")
