"""The guides: every command of them is run as written, in order, on a machine without a network."""

from __future__ import annotations

import pytest

from tests.documents import shown
from tests.e2e.shown import add_makefile, run_everything
from tools.reference import FILES

pytestmark = pytest.mark.exhaustive


@pytest.mark.parametrize("name", ["tutorial", "guide", "scoring"])
def test_every_command_runs_as_written(name, new_project, tmp_path):
    project = new_project()
    add_makefile(project)
    run_everything(shown(f"docs/{name}.md"), project, tmp_path / "tfds")
    assert not unlisted(project.folder)


def unlisted(folder):
    """Files in runs/ and models/ that the reference does not list, except versions and hidden files."""
    files = "".join(name for name, _ in FILES)
    found = [path for where in ("runs/*", "models/*.*", "models/*/*") for path in folder.glob(where)]
    shown = [path for path in found if not path.name.startswith(".") and not path.name.isdecimal()]
    return [path for path in shown if path.name not in files]
