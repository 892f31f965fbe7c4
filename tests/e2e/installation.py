"""The project's files as they are tracked, and pip without the network."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT


def tracked() -> list[str]:
    """Every file that belongs to the project, by its path in it."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def copy_source(folder: Path) -> Path:
    """Copies what is tracked alone to a new folder, and returns it."""
    for name in tracked():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return folder


def pip(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Runs pip; `--python` names another environment."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)
