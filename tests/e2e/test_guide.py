"""The guide: every command of it is run as written, in order, on a machine without a network."""

from __future__ import annotations

import pytest

from tests.e2e.shown import run_everything

pytestmark = pytest.mark.exhaustive


def test_every_command_runs_as_written(new_project, tmp_path):
    run_everything("docs/guide.md", new_project(), tmp_path / "tfds")
