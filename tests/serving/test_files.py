"""files: written completely or not at all, with the digests of hashlib."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving import files
from tests.conftest import ROOT

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("size_bytes", [0, 1, files.CHUNK_BYTES, 2 * files.CHUNK_BYTES + 17])
def test_digest_is_hashlibs(tmp_path, size_bytes):
    content = bytes(range(256)) * (size_bytes // 256 + 1)
    (tmp_path / "file").write_bytes(content[:size_bytes])
    assert files.sha256_file(tmp_path / "file") == hashlib.sha256(content[:size_bytes]).hexdigest()


@given(st.dictionaries(st.text(), values, max_size=5))
def test_canonical_json_does_not_depend_on_the_order_of_keys(value):
    turned = dict(reversed(value.items()))
    assert files.canonical_json(turned) == files.canonical_json(value)
    assert json.loads(files.canonical_json(value)) == value


def test_canonical_json_keeps_unicode_and_refuses_nan():
    assert "größe 雪" in files.canonical_json({"name": "größe 雪"})
    with pytest.raises(ValueError, match="not JSON compliant"):
        files.canonical_json({"accuracy": float("nan")})


def test_open_reader_keeps_the_content_of_a_replaced_file(tmp_path):
    path = tmp_path / "pointer.json"
    files.replace_json(path, {"version": 1})
    with path.open() as reader:
        files.replace_json(path, {"version": 2})
        assert json.load(reader) == {"version": 1}
    assert json.loads(path.read_text()) == {"version": 2}
    assert list(tmp_path.iterdir()) == [path]


def test_failed_replacement_leaves_only_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "pointer.json"
    files.replace_json(path, {"version": 1})

    def refuse(source, target):
        raise OSError("no rename")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OSError, match="no rename"):
        files.replace_json(path, {"version": 2})
    assert json.loads(path.read_text()) == {"version": 1}
    assert list(tmp_path.iterdir()) == [path]


def staged(path: Path) -> Path:
    """The staged file of a process that was killed."""
    code = (
        "import os, sys; from pathlib import Path; from serving.files import staged_file\n"
        "with staged_file(Path(sys.argv[1])) as file: print(file.name, flush=True); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", code, path], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL
    return Path(done.stdout.strip())


def test_staged_file_of_a_killed_process_is_removed_by_the_next_writer(tmp_path):
    path = tmp_path / "pointer.json"
    left = [staged(path), staged(path)]
    assert all(file.exists() for file in left)
    files.replace_json(path, {"version": 1})
    assert list(tmp_path.iterdir()) == [path]


def test_staged_file_of_a_live_process_is_not_removed(tmp_path):
    path = tmp_path / "pointer.json"
    with files.staged_file(path) as file:
        file.write(b"slow")
        files.replace_json(path, {"version": 1})
    assert path.read_bytes() == b"slow"


def test_staged_folder_is_moved_or_removed_and_those_of_killed_processes_are_removed(tmp_path):
    left = staged(tmp_path / "index.html")
    folder = tmp_path / f".0001.{'0' * 16}.new"
    folder.mkdir()
    (folder / "half.png").touch()
    with files.staged_folder(tmp_path / "0002") as moved:
        (moved / "samples.png").touch()
        moved.rename(tmp_path / "0002")
    assert not left.exists()
    with pytest.raises(KeyError), files.staged_folder(tmp_path / "0003") as failed:  # noqa: PT012
        (failed / "samples.png").touch()
        raise KeyError
    assert [file.name for file in tmp_path.iterdir()] == ["0002"]


def test_staged_folder_of_a_live_process_is_not_removed(tmp_path):
    with files.staged_folder(tmp_path / "0001") as staged_by_this:
        files.replace_json(tmp_path / "pointer.json", {"version": 1})
        assert staged_by_this.is_dir()


USERS = (".pointer.json.backup", ".pointer.json.123.new", ".hidden.new", "a.0123456789abcdef.new")


@pytest.mark.parametrize("name", USERS)
def test_hidden_file_of_a_user_is_not_removed(tmp_path, name):
    (tmp_path / name).touch()
    files.replace_json(tmp_path / "pointer.json", {"version": 1})
    assert (tmp_path / name).exists()


def test_staged_names_are_unique_where_process_numbers_are_equal(tmp_path, monkeypatch):
    """Two containers that share a folder have processes of the same number."""
    monkeypatch.setattr(os, "getpid", lambda: 1)
    path = tmp_path / "pointer.json"
    with files.staged_file(path) as first, files.staged_file(path) as second:
        assert first.name != second.name


def test_error_of_a_descriptor_names_the_file(tmp_path, monkeypatch):
    def fail(descriptor):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    calls = [
        lambda file: files.replace_text(file, "text"),
        lambda file: files.append_line(file, "text"),
        lambda file: files.write_json(file, {}),
        files.fsync_path,
    ]
    for call in calls:
        with pytest.raises(OSError, match="Input/output error") as caught:
            call(tmp_path / "file")
        assert str(tmp_path / "file") == caught.value.filename


def test_replacement_is_flushed_before_the_rename_and_the_folder_after_it(tmp_path, monkeypatch):
    done = []
    rename = os.replace
    monkeypatch.setattr(os, "fsync", lambda descriptor: done.append(os.fstat(descriptor).st_ino))
    monkeypatch.setattr(os, "replace", lambda *paths: done.append("rename") or rename(*paths))
    files.replace_json(tmp_path / "pointer.json", {"version": 1})
    assert done == [(tmp_path / "pointer.json").stat().st_ino, "rename", tmp_path.stat().st_ino]


def test_all_written_bytes_are_flushed(tmp_path, monkeypatch):
    flushed = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: flushed.append(os.fstat(descriptor)))
    files.write_json(tmp_path / "record.json", {"name": "value"})
    files.append_line(tmp_path / "lines", "one")
    assert [(found.st_ino, found.st_size) for found in flushed[:2]] == [
        ((tmp_path / name).stat().st_ino, (tmp_path / name).stat().st_size) for name in ("record.json", "lines")
    ]
    assert [found.st_ino for found in flushed[2:]] == [tmp_path.stat().st_ino]


def test_every_file_and_folder_of_a_tree_is_flushed(tmp_path, monkeypatch):
    (tmp_path / "variables" / "deep").mkdir(parents=True)
    for name in ("model.onnx", "variables/index", "variables/deep/data"):
        (tmp_path / name).write_text(name)
    flushed = set()
    monkeypatch.setattr(os, "fsync", lambda descriptor: flushed.add(os.fstat(descriptor).st_ino))
    files.fsync_tree(tmp_path)
    assert flushed == {path.stat().st_ino for path in [tmp_path, *tmp_path.rglob("*")]}


def test_lines_are_appended(tmp_path):
    files.append_line(tmp_path / "lines", "one")
    files.append_line(tmp_path / "lines", "two")
    assert (tmp_path / "lines").read_bytes() == b"one\ntwo\n"
