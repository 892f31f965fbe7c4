"""picture_processes: results come in order, errors are raised, and a process that was killed is named."""

from __future__ import annotations

import operator
import os
import signal
from functools import partial

import pytest

from serving.batch.folders import picture_processes
from serving.batch.folders.picture_processes import PictureProcesses, _call, processes_for
from serving.errors import BeamlineError


@pytest.fixture
def processes():
    started = PictureProcesses(3)
    yield started
    started.stop()


def test_results_come_in_order_from_several_processes(processes):
    assert list(processes.map(partial(operator.mul, 3), range(500))) == [3 * item for item in range(500)]
    assert list(processes.map(len, ["a", "bc"])) == [1, 2]


def test_processes_ignore_packages_of_the_same_names(foreign_folder, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", ".")
    started = PictureProcesses(2)
    try:
        assert list(started.map(partial(operator.mul, 3), range(50))) == [3 * item for item in range(50)]
        assert _call(started._processes[0], len, "abc") == 3
    finally:
        started.stop()


def test_first_error_in_order_is_raised(processes):
    results = processes.map(int, ["1", "2", "x", "3"])
    assert [next(results), next(results)] == [1, 2]
    with pytest.raises(ValueError, match="'x'"):
        next(results)
    assert list(processes.map(int, ["4"])) == [4]


def test_killed_process_is_an_error_that_names_the_signal(processes):
    for process in processes._processes:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    with pytest.raises(BeamlineError, match="a process of Beamline was ended by SIGKILL while it read pictures"):
        list(processes.map(len, ["a"] * 50))


def test_processes_end_when_they_are_stopped(processes):
    list(processes.map(len, ["a"] * 5))
    processes.stop()
    assert [process.returncode for process in processes._processes] == [0, 0]
    processes._processes.clear()


def test_only_many_files_are_worth_processes(monkeypatch):
    monkeypatch.setattr(picture_processes, "usable_processors", lambda: 4)
    assert [processes_for(files) for files in (0, 4_999, 10_000, 10**6)] == [0, 0, 2, 4]
