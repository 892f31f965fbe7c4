"""streams: a command whose standard streams are closed works, and no file gets the number of a stream."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT

# Writes to each stream, by Python and as a C library does, while a file is open.
PROGRAM = """
import os, sys
from serving.process.streams import open_closed_streams
open_closed_streams()
with open("file", "w") as file:
    print("printed", flush=True)
    print("error", file=sys.stderr, flush=True)
    os.write(1, b"written")
    os.write(2, b"written")
    sys.stdin.read()
    file.write("content")
    assert file.fileno() > 2
"""


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1), (1, 2), (0, 1, 2)])
def test_closed_streams_lead_nowhere(tmp_path, closed):
    redirected = " ".join(f"{number}>&-" if number else "<&-" for number in closed)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = ["sh", "-c", f'exec "$0" -c "$1" {redirected}', sys.executable, PROGRAM]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "file").read_text() == "content"
    assert done.stdout == ("" if 1 in closed else "printed\nwritten")
    assert done.stderr == ("" if 2 in closed else "error\nwritten")


def without_streams(folder, *arguments) -> int:
    """The exit code of `python -m …` whose streams are all closed."""
    command = ["sh", "-c", 'exec "$0" -m "$@" <&- >&- 2>&-', sys.executable, *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=folder, env=environment, check=False).returncode


def test_pipeline_works_without_streams(promoted, registry, tmp_path):
    assert without_streams(tmp_path, "pipeline", "history", "tiny", "--models", registry.root) == 0
    assert without_streams(tmp_path, "pipeline", "history", "other", "--models", registry.root) == 2


def test_scorer_works_without_streams(promoted, registry, folder):
    assert without_streams(folder, "serving.batch_score", "images.npy", "--models", registry.root) == 0
    assert len((folder / "images.predictions.csv").read_text().splitlines()) == 51
    assert without_streams(folder, "serving.batch_score", "other.npy", "--models", registry.root) == 2
