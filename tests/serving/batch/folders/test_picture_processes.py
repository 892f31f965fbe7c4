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


def test_items_are_spread_and_this_process_begins_with_something_else(processes):
    done = []
    results = processes.spread(partial(operator.mul, 3), range(50), lambda: done.append(os.getpid()))
    assert results == [3 * item for item in range(50)]
    assert done == [os.getpid()]
    assert processes.spread(len, [], lambda: None) == []


def test_other_processes_work_meanwhile_and_this_one_takes_what_is_left(tmp_path):
    started = PictureProcesses(2)
    try:
        # The other process cannot take the second item before the first, which waits for this process, is done.
        first = tmp_path / "first"
        os.mkfifo(first)
        results = started.spread(read_or_name, [str(first), "here"], lambda: first.write_text("given meanwhile"))
        assert results[0] == "given meanwhile"
    finally:
        started.stop()


def read_or_name(name):
    return open(name).read() if os.path.exists(name) else name


def test_first_error_of_spread_items_is_raised(processes):
    with pytest.raises(ValueError, match="'x'"):
        processes.spread(int, ["1", "x", *["3"] * 50, "y"], lambda: None)
    assert processes.spread(int, ["4"], lambda: None) == [4]


def test_error_meanwhile_stops_the_others(processes):
    def fail():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        processes.spread(int, ["1"] * 50, fail)
    assert processes.spread(int, ["4"], lambda: None) == [4]
