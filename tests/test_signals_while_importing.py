"""Ctrl-C and SIGTERM before a command's work begins: no traceback, and an exit code that says what happened."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from tests.conftest import ROOT

# Sends a signal to its own process when Python finds the n-th module after the command's own.
PROGRAM = """
import __future__, runpy, signal, sys

number, nth, command, first = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
del sys.argv[1:5]
found = None

class Counter:
    def find_spec(self, name, path=None, target=None):
        global found
        if found is not None:
            found += 1
            if found == nth:
                signal.raise_signal(number)
        elif name == first:
            found = 0

sys.meta_path.insert(0, Counter())
if first == "beamline":
    import beamline
    sys.argv[0] = command
    beamline.run_pipeline() if command == "beamline" else beamline.run_scorer()
else:
    runpy.run_module(command, run_name="__main__", alter_sys=True)
"""
# By command: its first module, and arguments with which it does nothing.
COMMANDS = {
    "pipeline": ("pipeline.__main__", "show", "1"),
    "serving.batch_score": ("serving.batch_score", "nothing.npy"),
    "beamline": ("beamline", "show", "1"),
    "beamline-score": ("beamline", "nothing.npy"),
}
# The first modules, and a sample of the later ones: a command imports more than 100.
MOMENTS = (1, 2, 3, 8, 20, 40, 60, 80, 100)
# Death by the signal, as a shell does it for every program, or an exit code of the command's own.
ENDS = {signal.SIGINT: (-signal.SIGINT, 130), signal.SIGTERM: (-signal.SIGTERM, 143)}


def run(folder, command, number, nth):
    arguments = [sys.executable, "-c", PROGRAM, str(int(number)), str(nth), command, *COMMANDS[command]]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(arguments, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("number", ENDS)
@pytest.mark.parametrize("command", COMMANDS)
def test_signal_at_an_import_ends_the_command_without_a_traceback(tmp_path, command, number):
    for nth in MOMENTS:
        done = run(tmp_path, command, number, nth)
        assert done.returncode in ENDS[number], (nth, done.stderr)
        assert "Traceback" not in done.stderr, (nth, done.stderr)
        assert list(tmp_path.iterdir()) == []
