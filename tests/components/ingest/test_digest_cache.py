"""digest_cache: a digest follows the content, and unchanged files are not read again."""

from __future__ import annotations

import os

import pytest

import components.ingest.digest_cache
from components.ingest.digest_cache import content_digest
from serving.batch.inputs import open_file
from serving.errors import InputError


@pytest.fixture
def files(tmp_path):
    """Three files."""
    root = tmp_path / "set"
    (root / "b").mkdir(parents=True)
    for name in ("a.png", "b/c.png", "b/d.png"):
        (root / name).write_bytes(name.encode())
    return root


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(open_file, "MIN_AGE_NS", -(10**12))
    return tmp_path / "fingerprints"


@pytest.fixture
def read(monkeypatch):
    """The names of the files that are hashed."""
    names = []
    hashed = components.ingest.digest_cache.file_digest

    def noted(path):
        names.append(os.path.basename(path))
        return hashed(path)

    monkeypatch.setattr(components.ingest.digest_cache, "file_digest", noted)
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


def test_moving_bytes_between_files_changes_the_digest(files):
    first = content_digest(files, NAMES, None)
    (files / "b/c.png").write_bytes(b"b/c.pngb")
    (files / "b/d.png").write_bytes(b"/d.png")
    assert content_digest(files, NAMES, None) != first


def test_unchanged_files_are_not_read_again(files, cache, read):
    first = content_digest(files, NAMES, cache)
    assert sorted(read) == ["a.png", "c.png", "d.png"]
    read.clear()
    assert content_digest(files, NAMES, cache) == first
    assert read == []


def test_two_sets_in_one_folder_have_two_cache_entries(files, cache, read):
    for _ in range(2):
        read.clear()
        for names in NAMES[:1], NAMES[1:]:
            content_digest(files, names, cache, files / names[0])
    assert read == []


def test_change_that_keeps_size_and_modification_time_is_detected(files, cache, read):
    first = content_digest(files, NAMES, cache)
    found = (files / "a.png").stat()
    (files / "a.png").write_bytes(b"A.png")
    os.utime(files / "a.png", ns=(found.st_atime_ns, found.st_mtime_ns))
    assert content_digest(files, NAMES, cache) != first


def test_touched_file_is_read_again_and_keeps_the_digest(files, cache, read):
    first = content_digest(files, NAMES, cache)
    read.clear()
    os.utime(files / "a.png")
    assert content_digest(files, NAMES, cache) == first
    assert read != []


def test_digests_of_new_files_are_not_cached(files, tmp_path, read):
    # A second write within one tick of the clock would not change their times.
    cache = tmp_path / "fingerprints"
    content_digest(files, NAMES, cache)
    assert not cache.exists()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"state": 1}'])
def test_damaged_entry_is_ignored(files, cache, content):
    first = content_digest(files, NAMES, cache)
    (file,) = cache.iterdir()
    file.write_bytes(content)
    assert content_digest(files, NAMES, cache) == first


def test_cache_that_cannot_be_written_is_ignored(files, cache):
    assert content_digest(files, NAMES, cache / "absent" / "below") == content_digest(files, NAMES, None)


def test_file_that_cannot_be_read_is_named(files):
    (files / "a.png").unlink()
    with pytest.raises(InputError, match=r"a\.png cannot be read: No such file"):
        content_digest(files, NAMES, None)


def test_missing_file_with_any_name_is_named(tmp_path):
    with pytest.raises(InputError) as caught:
        content_digest(tmp_path, [os.fsdecode(b"caf\xe9.png")], None)
    assert str(caught.value).startswith(f"{tmp_path}/caf\\xe9.png cannot be read: No such file")
