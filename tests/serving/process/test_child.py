"""child: children import this Beamline from any working folder and PYTHONPATH, and the user's other packages."""

from __future__ import annotations

import os
import subprocess

import pytest

from serving.process.child import child_environment, own_packages_in_children, python_command
from tests.conftest import ROOT

WHERE = "import components, pipeline, serving; print(*(p.__path__[0] for p in (components, pipeline, serving)))"
OWN = " ".join(str(ROOT / name) for name in ("components", "pipeline", "serving"))


@pytest.mark.parametrize("path", [None, "", ".", "{foreign}", "{foreign}{separator}"])
def test_child_imports_our_packages(foreign_folder, monkeypatch, path):
    if path is None:
        monkeypatch.delenv("PYTHONPATH", raising=False)
    else:
        monkeypatch.setenv("PYTHONPATH", path.format(foreign=foreign_folder, separator=os.pathsep))
    found = subprocess.check_output(python_command("-c", WHERE), env=child_environment(), text=True)
    assert found.strip() == OWN


def test_child_still_finds_the_packages_of_the_users_path(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text("print('found')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert subprocess.check_output(python_command("-c", "import mine"), env=child_environment(), text=True) == "found\n"


def test_child_of_a_library_imports_our_packages_and_the_environment_is_restored(foreign_folder, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", ".")
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    before = dict(os.environ)
    command = [python_command()[0], "-c", WHERE]
    with own_packages_in_children():
        assert subprocess.check_output(command, text=True).strip() == OWN
    assert dict(os.environ) == before
    assert "the wrong" in subprocess.run(command, capture_output=True, text=True, check=False).stderr
