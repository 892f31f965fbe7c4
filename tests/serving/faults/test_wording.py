"""wording: one sentence with the folder, its flag, the sizes, and what to do."""

from __future__ import annotations

import errno
import os
from types import SimpleNamespace

import pytest

from serving.faults import wording
from serving.faults.fault import Fault
from serving.faults.wording import Writing, fault_sentence, shown_bytes


@pytest.fixture
def space(tmp_path, monkeypatch):
    """Folders by flag, with the free bytes that each reports."""
    free = {tmp_path / "runs": 5_000_000, tmp_path / "models": 12_000}
    for folder in free:
        folder.mkdir()

    def disk_usage(folder):
        return SimpleNamespace(free=free.get(folder, 10**12))

    monkeypatch.setattr(wording.shutil, "disk_usage", disk_usage)
    monkeypatch.setenv("TMPDIR", "/tmp")
    return {"--runs": tmp_path / "runs", "--models": tmp_path / "models"}


def test_full_disk_names_folder_flag_sizes_and_remedy(space):
    runs = space["--runs"]
    written = Writing(runs, 1_000, 7_500_000)
    assert fault_sentence(Fault(errno.ENOSPC, runs / "a" / "b"), space, written) == (
        f"the disk of --runs {runs} is full (No space left on device: at least 7.5 MB are needed, 5.0 MB are free): "
        "free some space, or give another folder with --runs"
    )


def test_without_an_earlier_size_what_was_written_and_did_not_fit_is_needed(space):
    runs = space["--runs"]
    sentence = fault_sentence(Fault(errno.ENOSPC, runs / "a"), space, Writing(runs, 2_000_000, 0))
    assert "at least 7.0 MB are needed, 5.0 MB are free" in sentence
    # What is free is not what is left of the quota.
    sentence = fault_sentence(Fault(errno.EDQUOT, runs / "a"), space, Writing(runs, 2_000_000, 0))
    assert "(Disk quota exceeded: at least 2.0 MB are needed, 5.0 MB are free)" in sentence


def test_without_a_file_the_fullest_folder_is_named(space):
    sentence = fault_sentence(Fault(errno.ENOSPC), space, Writing(space["--runs"], 10**9, 0))
    assert sentence.startswith(f"the disk of --models {space['--models']} is full (No space left on device: 12 kB are")


def test_variable_and_file_have_their_own_remedy(space, tmp_path):
    assert fault_sentence(Fault(errno.ENOSPC, tmp_path / "p.csv"), {"--out": tmp_path / "p.csv"}).endswith(
        "free some space, or give another path with --out"
    )
    sentence = fault_sentence(Fault(errno.ENOSPC, wording.Path("/tmp/x")), {})
    assert sentence.startswith("the disk of TMPDIR /tmp is full")
    assert sentence.endswith("free some space, or set TMPDIR to another folder")
    elsewhere = fault_sentence(Fault(errno.ENOSPC, wording.Path("/elsewhere/x")), {})
    assert elsewhere.startswith("the disk of /elsewhere is full")
    assert elsewhere.endswith("free some space")


def test_disk_that_is_full_of_files_says_so(space, monkeypatch):
    monkeypatch.setattr(wording.os, "statvfs", lambda folder: SimpleNamespace(f_favail=0, f_files=100))
    sentence = fault_sentence(Fault(errno.ENOSPC, space["--runs"] / "a"), space)
    assert "(No space left on device: it can have no more files)" in sentence


@pytest.mark.parametrize(
    "number", [errno.EIO, errno.EROFS, errno.EACCES, errno.EFBIG, errno.ENAMETOOLONG, errno.ESTALE]
)
def test_other_failure_names_the_file_the_cause_and_a_remedy(space, number):
    file = space["--runs"] / "artifacts" / "record.json"
    sentence = fault_sentence(Fault(number, file), space)
    assert sentence.startswith(f"{file} cannot be read or written ({os.strerror(number)}): ")
    assert sentence.count("\n") == 0
    assert "Errno" not in sentence


def test_failure_without_a_file_names_the_folders(space):
    sentence = fault_sentence(Fault(errno.EIO), space)
    assert sentence.startswith(
        f"a file in --runs {space['--runs']} or --models {space['--models']} or TMPDIR /tmp cannot be read or written "
        "(Input/output error): check the disk"
    )


def test_memory_has_its_own_remedy(space):
    assert fault_sentence(Fault(errno.ENOMEM), space).startswith("there is not enough memory (")


def test_sizes_have_a_unit():
    assert [shown_bytes(size) for size in (0, 12_345, 3_400_000, 5_600_000_000)] == [
        "0 kB",
        "12 kB",
        "3.4 MB",
        "5.6 GB",
    ]
