"""content: a digest follows the content, and what nobody touched is not read again."""

from __future__ import annotations

import os

import pytest

import components.sources.content
from components.sources.content import content_digest
from serving.errors import InputError


@pytest.fixture
def files(tmp_path):
    """Three files that were left alone for long enough."""
    root = tmp_path / "set"
    (root / "b").mkdir(parents=True)
    for name in ("a.png", "b/c.png", "b/d.png"):
        (root / name).write_bytes(name.encode())
    return root


@pytest.fixture
def memory(tmp_path, monkeypatch):
    monkeypatch.setattr(components.sources.content, "SETTLED_NS", -(10**12))
    return tmp_path / "fingerprints"


@pytest.fixture
def read(monkeypatch):
    """The files that are hashed, as they are."""
    names = []
    hashed = components.sources.content.sha256_file

    def noted(path):
        names.append(path.name)
        return hashed(path)

    monkeypatch.setattr(components.sources.content, "sha256_file", noted)
    return names


NAMES = ("a.png", "b/c.png", "b/d.png")


def test_digest_depends_on_names_and_bytes_alone(files, tmp_path):
    first = content_digest(files, NAMES, None)
    assert content_digest(files, reversed(NAMES), None) == first
    os.utime(files / "a.png", (1, 1))
    files.rename(tmp_path / "elsewhere")
    files = tmp_path / "elsewhere"
    assert content_digest(files, NAMES, None) == first
    (files / "a.png").write_bytes(b"A.png")
    assert content_digest(files, NAMES, None) != first
    (files / "a.png").write_bytes(b"a.png")
    assert content_digest(files, NAMES, None) == first
    assert content_digest(files, NAMES[1:], None) != first
    (files / "a.png").rename(files / "z.png")
    assert content_digest(files, ("z.png", *NAMES[1:]), None) != first


def test_bytes_cannot_pass_from_one_file_to_the_next(files):
    first = content_digest(files, NAMES, None)
    (files / "b/c.png").write_bytes(b"b/c.pngb")
    (files / "b/d.png").write_bytes(b"/d.png")
    assert content_digest(files, NAMES, None) != first


def test_untouched_files_are_not_read_again(files, memory, read):
    first = content_digest(files, NAMES, memory)
    assert sorted(read) == ["a.png", "c.png", "d.png"]
    read.clear()
    assert content_digest(files, NAMES, memory) == first
    assert read == []


def test_two_sets_in_one_folder_are_remembered_side_by_side(files, memory, read):
    for _ in range(2):
        read.clear()
        for names in NAMES[:1], NAMES[1:]:
            content_digest(files, names, memory, files / names[0])
    assert read == []


def test_change_that_keeps_size_and_time_is_seen(files, memory, read):
    first = content_digest(files, NAMES, memory)
    found = (files / "a.png").stat()
    (files / "a.png").write_bytes(b"A.png")
    os.utime(files / "a.png", ns=(found.st_atime_ns, found.st_mtime_ns))
    assert content_digest(files, NAMES, memory) != first


def test_touched_file_of_the_same_content_is_read_and_changes_nothing(files, memory, read):
    first = content_digest(files, NAMES, memory)
    read.clear()
    os.utime(files / "a.png")
    assert content_digest(files, NAMES, memory) == first
    assert read != []


def test_files_that_were_written_just_now_are_not_remembered(files, tmp_path, read):
    # Within one tick of the clock they may be written again, and look untouched.
    memory = tmp_path / "fingerprints"
    content_digest(files, NAMES, memory)
    assert not memory.exists()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"state": 1}'])
def test_damaged_memory_is_none(files, memory, content):
    first = content_digest(files, NAMES, memory)
    (file,) = memory.iterdir()
    file.write_bytes(content)
    assert content_digest(files, NAMES, memory) == first


def test_memory_that_cannot_be_written_costs_time_alone(files, memory):
    assert content_digest(files, NAMES, memory / "absent" / "below") == content_digest(files, NAMES, None)


def test_file_that_cannot_be_read_is_named(files):
    (files / "a.png").unlink()
    with pytest.raises(InputError, match=r"a\.png cannot be read: No such file"):
        content_digest(files, NAMES, None)
