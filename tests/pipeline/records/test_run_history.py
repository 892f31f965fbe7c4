"""history: one record per run, numbered, read back as written."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.engine.outcome import Outcome
from pipeline.records.run_history import RunHistory
from serving.errors import InputError
from tests.pipeline.requests import begun, recorded

REQUEST = recorded()


def test_record_is_read_back_as_it_was_written(tmp_path):
    history = RunHistory(tmp_path)
    with history.begin("0001", *REQUEST) as record:
        assert history.read("1") == record
    steps = (Outcome("ingest", "executed", 1.5, "ingest-abc", "def", True, ("fine",), "images"),)
    ended = replace(record, verdict="promoted", seconds=2.5, steps=steps)
    history.finish(ended)
    assert history.read("0001") == ended
    assert ended.config["train"]["epochs"] == 5


def test_runs_are_numbered_in_the_order_of_their_beginning(tmp_path):
    history = RunHistory(tmp_path)
    for _ in range(11):
        begun(history)
    assert [record.run for record in history.records()] == [f"{n:04d}" for n in range(1, 12)]


@pytest.mark.parametrize("failure", [None, errno.EPERM, errno.ENOTSUP, errno.ENOSYS])
def test_number_is_given_once_also_without_hard_links(tmp_path, monkeypatch, failure):
    def link(source, target):
        raise OSError(failure, os.strerror(failure), source, None, target)

    if failure is not None:
        monkeypatch.setattr(os, "link", link)
    history = RunHistory(tmp_path)
    with history.begin("0001", *REQUEST) as record:
        assert record is not None
        with history.begin("0001", *REQUEST) as second:
            assert second is None
        assert history.read("0001") == record
    assert [file.name for file in history.folder.iterdir()] == ["0001.json"]


def test_numbers_go_on_after_9999(tmp_path):
    history = RunHistory(tmp_path)
    begun(history, run="9999")
    assert history.next_run() == "10000"
    begun(history, run="10000")
    assert [record.run for record in history.records()] == ["9999", "10000"]


def test_unknown_run_is_refused_with_those_that_there_are(tmp_path):
    history = RunHistory(tmp_path)
    with pytest.raises(InputError, match="it has none yet"):
        history.read("1")
    begun(history)
    for wanted in ("7", "../0001", "0001.json", ""):
        with pytest.raises(InputError, match=r"it has 0001 to 0001\)"):
            history.read(wanted)
    begun(history, run="0003")
    with pytest.raises(InputError, match="it has 0001 to 0003; clean removes the records of runs that made nothing"):
        history.read("2")


def test_a_record_is_read_without_a_look_at_the_others(tmp_path, monkeypatch):
    history = RunHistory(tmp_path)
    record = history.read(begun(history).run)
    monkeypatch.setattr(Path, "glob", lambda *arguments: pytest.fail("the folder is listed"))
    assert history.read("1") == record


def test_folder_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"cannot be written|is not a folder"):
        begun(RunHistory(tmp_path / "file"))


def test_history_that_cannot_be_read_is_not_an_empty_one(tmp_path, monkeypatch):
    history = RunHistory(tmp_path)
    begun(history)
    real = os.listdir

    def listdir(path="."):
        if path == history.folder:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "listdir", listdir)
    with pytest.raises(InputError, match=r"history cannot be read: Permission denied: give this process the perm"):
        history.runs()
    with pytest.raises(InputError, match="cannot be read"):
        history.next_run()
