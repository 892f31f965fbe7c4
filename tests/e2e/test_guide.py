"""The guides: every command of them is run as written, in order, on a machine without a network."""

from __future__ import annotations

import pytest

from tests.e2e.shown import run_everything

pytestmark = pytest.mark.exhaustive


@pytest.mark.parametrize("name", ["tutorial", "guide", "scoring"])
def test_every_command_runs_as_written(name, new_project, tmp_path):
    run_everything(f"docs/{name}.md", new_project(), tmp_path / "tfds")
