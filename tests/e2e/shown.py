"""Runs what a document shows as it is written, in order, on a machine without a network."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.conftest import ROOT
from tests.documents import Shown
from tests.e2e.conftest import Project

# A proxy that refuses every connection: no host can be reached through it.
OFFLINE = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9")


def run_everything(commands: Sequence[Shown], project: Project, data_dir: Path) -> None:
    """Runs commands of a document; each has to end as the document says, and without a traceback."""
    for command in commands:
        done = run(project, command, data_dir)
        printed = (command.text, done.stdout, done.stderr)
        assert done.returncode == command.exit_code, printed
        assert "Traceback" not in done.stdout + done.stderr, printed


def add_makefile(project: Project) -> None:
    """Adds all that make needs; the project's .venv is this environment."""
    for name in ("Makefile", "setup.py", "requirements.lock"):
        shutil.copy2(ROOT / name, project.folder)
    python = project.folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    python.chmod(0o755)
    (project.folder / ".venv" / ".ready").touch()


def run(project: Project, command: Shown, data_dir: Path) -> subprocess.CompletedProcess[str]:
    """Runs one command in a project that has the Makefile; TFDS prepares data sets in `data_dir`."""
    environment = OFFLINE | {"TFDS_DATA_DIR": str(data_dir)}
    if command.language == "python":
        (project.folder / "shown.py").write_text(command.text)
        return project.process(sys.executable, "shown.py", **environment)
    parts = command.parts
    if parts[0] == "make":
        # The tests do not run themselves.
        dry = ["-n"] if parts[1] == "test" else []
        return project.process("make", *dry, *parts[1:], **environment)
    return project.command(*parts[2:], **environment)
