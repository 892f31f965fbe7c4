"""out_path: paths at which no file can be written are refused, and other files are not replaced."""

from __future__ import annotations

import errno
import os

import pytest

from serving.errors import InputError
from serving.out_path import join_suffixes, require_out_path, write_error


def test_free_path_and_expected_file_are_accepted(tmp_path):
    require_out_path(tmp_path / "new.json", lambda: False, expected="a preset", suffixes=(".json",))
    (tmp_path / "old.json").write_text("old")
    require_out_path(tmp_path / "old.json", lambda: True, expected="a preset")
    require_out_path(tmp_path / "old.json")
    require_out_path(tmp_path / "old.json", lambda: False, expected="a preset", overwrite=True)


@pytest.mark.parametrize(
    ("overwrite", "advice"),
    [
        (None, "move it away, or give another path"),
        (False, "move it away, give another path, or replace it with --overwrite"),
    ],
)
def test_other_file_is_refused_with_advice(tmp_path, overwrite, advice):
    out = tmp_path / "old.json"
    out.write_text("old")
    with pytest.raises(InputError) as caught:
        require_out_path(out, lambda: False, expected="a preset", overwrite=overwrite)
    assert str(caught.value) == f"--out {out} exists and is not a preset: {advice}"
    assert out.read_text() == "old"


@pytest.mark.parametrize("overwrite", [None, False, True])
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("folder", "is a folder: give the name of a file"),
        ("pipe", "is a pipe or a device: give the name of a file"),
        ("broken", "is a broken link: give the name of a file"),
        ("nowhere/new.json", "nowhere is not a folder: create it first, or give another path"),
        ("file/new.json", "file is not a folder: create it first, or give another path"),
        ("x" * 300, "cannot be written: File name too long: give another path"),
    ],
)
def test_path_without_a_regular_file_is_refused(tmp_path, name, reason, overwrite):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("file")
    (tmp_path / "broken").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError) as caught:
        require_out_path(tmp_path / name, lambda: True, expected="a preset", overwrite=overwrite)
    assert str(caught.value).startswith(f"--out {tmp_path / name}")
    assert str(caught.value).endswith(reason)


def test_file_that_cannot_be_compared_is_refused(tmp_path):
    def unreadable():
        raise PermissionError(13, "Permission denied")

    (tmp_path / "old.json").write_text("old")
    with pytest.raises(InputError, match=r"old\.json cannot be written: Permission denied"):
        require_out_path(tmp_path / "old.json", unreadable, expected="a preset")


@pytest.mark.parametrize(
    ("suffixes", "text"), [((".a",), ".a"), ((".a", ".b"), ".a or .b"), ((".a", ".b", ".c"), ".a, .b or .c")]
)
def test_other_suffix_is_refused_with_the_allowed_ones(tmp_path, suffixes, text):
    assert join_suffixes(suffixes) == text
    with pytest.raises(InputError, match=rf"out\.txt ends in '\.txt': give a name that ends in {text}"):
        require_out_path(tmp_path / "out.txt", suffixes=suffixes)


@pytest.mark.parametrize(
    ("number", "exit_code", "advice"),
    [
        (errno.EIO, 1, "check the disk, which the system's log names, or give another path with --out"),
        (errno.ESTALE, 1, "check the connection to its file system, or give another path with --out"),
        (errno.EMFILE, 1, "raise the number of open files (`ulimit -n`), then run again"),
        (errno.ENOSPC, 2, "or give another path with --out"),
        (errno.EDQUOT, 2, "or give another path with --out"),
        (errno.EACCES, 2, "Permission denied: give another path"),
        (errno.EROFS, 2, "Read-only file system: give another path"),
    ],
)
def test_failing_disk_is_not_a_mistake_of_the_user(tmp_path, number, exit_code, advice):
    error = write_error(tmp_path / "out.csv", OSError(number, os.strerror(number)))
    assert (error.exit_code, str(error).endswith(advice)) == (exit_code, True), error
    assert os.strerror(number) in str(error)
