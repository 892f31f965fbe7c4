"""file_system: what does not work in a folder is named with what follows from it; nothing stays there."""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import sqlite3
import stat

import pytest

from pipeline.health.file_system import IN_MODELS, IN_RUNS, file_system_findings
from tests.pipeline.health.doctor_output import findings


def failing(number):
    def fail(*arguments, **named):
        raise OSError(number, os.strerror(number))

    return fail


def messages(folder, attempts=IN_RUNS):
    return [(finding.state, finding.message) for finding in file_system_findings("--runs", folder, attempts)]


def test_folder_in_which_everything_works(tmp_path):
    works = "replacing files and folders, flushing folders, locks, memory maps, hard links, SQLite work"
    assert messages(tmp_path) == [("ok", f"--runs {tmp_path}: {works}")]
    assert messages(tmp_path / "new/runs")[0][0] == "ok"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("module", "function", "number", "state", "message"),
    [
        (
            os,
            "link",
            errno.EPERM,
            "note",
            "has no hard links (Operation not permitted): pictures are copied, and while a",
        ),
        (fcntl, "flock", errno.ENOLCK, "note", "has no locks (No locks available): run one command at a time with it"),
        (os, "replace", errno.EXDEV, "fix", "files and folders cannot be replaced (Invalid cross-device link): give a"),
        (os, "rename", errno.EBUSY, "fix", "files and folders cannot be replaced (Device or resource busy): give a"),
        (mmap, "mmap", errno.ENODEV, "note", "files cannot be mapped into memory (No such device): whole blocks of"),
    ],
)
def test_what_does_not_work_is_named(tmp_path, monkeypatch, module, function, number, state, message):
    monkeypatch.setattr(module, function, failing(number))
    first, second = messages(tmp_path)
    assert first[0] == state
    assert message in first[1]
    assert first[1].startswith(f"--runs {tmp_path}")
    assert second[0] == "ok"
    assert list(tmp_path.iterdir()) == []


def test_flushing_of_files_is_needed_and_that_of_folders_is_not(tmp_path, monkeypatch):
    really = os.fsync

    def fsync(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        really(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    first, second = messages(tmp_path)
    assert first == (
        "note",
        f"--runs {tmp_path}: folders cannot be flushed (Invalid argument): a power failure can undo the newest change",
    )
    assert second[1].startswith(f"--runs {tmp_path}: replacing files and folders, locks, ")
    monkeypatch.setattr(os, "fsync", failing(errno.EINVAL))
    assert messages(tmp_path)[0][0] == "fix"


def test_locks_that_do_not_exclude_are_not_locks(tmp_path, monkeypatch):
    monkeypatch.setattr(fcntl, "flock", lambda file, mode: None)
    (first, _) = messages(tmp_path, IN_MODELS)
    assert "has no locks (two processes can have the same one): run one command at a time" in first[1]


def test_database_that_cannot_be_written_is_noted(tmp_path, monkeypatch):
    def connect(file):
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(sqlite3, "connect", connect)
    first, _ = messages(tmp_path)
    assert first == (
        "note",
        f"--runs {tmp_path}: SQLite does not work (disk I/O error): for `tune`, give a folder on another file system",
    )


def test_doctor_tries_the_folders_of_both_flags(healthy_project, monkeypatch, capsys):
    monkeypatch.setattr(fcntl, "flock", failing(errno.ENOTSUP))
    code, lines = findings(capsys, "--runs", "elsewhere/runs")
    assert code == 0
    noted = [line for line in lines if line.startswith("note  files") and "has no locks" in line]
    assert [line.split()[2] for line in noted] == ["--runs", "--models"]
    assert not (healthy_project.folder / "elsewhere").exists()
