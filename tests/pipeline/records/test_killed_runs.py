"""A record that is left at `running`: killed if no process holds it, also while another run is going on."""

from __future__ import annotations

import errno
import fcntl
import json
import multiprocessing
import os
import signal
from dataclasses import replace

import pytest

from pipeline.__main__ import main
from pipeline.records import run_history
from pipeline.records.run_history import RunHistory
from pipeline.report.index import write_index
from tests.pipeline.health.doctor_output import findings
from tests.pipeline.requests import begun, recorded

CONTEXT = multiprocessing.get_context("spawn")


def no_link(source, target):
    raise OSError(errno.EPERM, "no hard links")


def go_on(history: RunHistory, began, links: bool) -> None:
    os.link = os.link if links else no_link
    with history.begin(history.next_run(), *recorded()) as record:
        began.put(record.run)
        signal.pause()


@pytest.fixture
def start():
    """Starts runs in processes of their own, which go on until they are killed."""
    processes = []

    def start(history: RunHistory, links: bool = True):
        began = CONTEXT.Queue()
        process = CONTEXT.Process(target=go_on, args=(history, began, links))
        process.start()
        processes.append(process)
        assert began.get(timeout=60)
        return process

    yield start
    for process in processes:
        process.kill()
        process.join()


def kill(process) -> None:
    os.kill(process.pid, signal.SIGKILL)
    process.join()


@pytest.mark.parametrize("links", [True, False])
def test_killed_run_is_known_while_another_one_runs(tmp_path, start, links):
    history = RunHistory(tmp_path)
    first, _second = start(history, links), start(history, links)
    assert [record.verdict for record in history.records()] == ["running", "running"]
    kill(first)
    assert [record.verdict for record in history.records()] == ["killed", "running"]
    assert json.loads(history.file("0001").read_text())["verdict"] == "running"


def test_every_command_shows_that_a_run_was_killed(toy, monkeypatch, capsys, start):
    monkeypatch.chdir(toy.folder)
    toy.run()
    history = RunHistory(toy.store.root)
    kill(start(history))
    running = start(history)
    assert main(["runs"]) == 0
    _, second, first = capsys.readouterr().out.splitlines()
    assert (second.split()[6], first.split()[6]) == ("running", "killed")
    assert first.endswith("it was killed or the disk was full: run the same command to continue")
    assert main(["show", "1"]) == 0
    assert capsys.readouterr().out.startswith("run 0001: killed, mnist with mlp-128-128")
    assert main(["diff", "1", "2"]) == 0
    assert 'run verdict: "killed" -> "running"' in capsys.readouterr().out
    page = write_index(toy.store).read_text()
    assert '<span class="verdict warn">killed</span>' in page
    assert '<span class="verdict warn">running</span>' in page
    kill(running)
    _, lines = findings(capsys)
    assert sum("was killed: its process ended" in line for line in lines) == 2


def test_run_that_ends_while_it_is_read_is_not_taken_for_killed(tmp_path, monkeypatch):
    history = RunHistory(tmp_path)
    record = begun(history)

    def ends(path):
        history.finish(replace(record, verdict="promoted"))
        return False

    monkeypatch.setattr(run_history, "is_held", ends)
    assert history.read("1").verdict == "promoted"


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_without_locks_a_run_stays_running(tmp_path, monkeypatch, number):
    def flock(descriptor, mode):
        raise OSError(number, os.strerror(number))

    history = RunHistory(tmp_path)
    begun(history)
    assert history.read("1").verdict == "killed"
    monkeypatch.setattr(fcntl, "flock", flock)
    assert history.read("1").verdict == "running"
