"""file_digests: what is remembered of a file, and what makes it be read again."""

from __future__ import annotations

import hashlib
import os

import pytest

from pipeline.engine import file_digests
from pipeline.engine.file_digests import digest_of
from serving.batch.inputs import open_file


@pytest.fixture
def read(monkeypatch):
    """The names of the files that are read."""
    names = []
    real = file_digests.sha256_file

    def noted(path):
        names.append(path.name)
        return real(path)

    monkeypatch.setattr(file_digests, "sha256_file", noted)
    return names


@pytest.fixture
def no_age(monkeypatch):
    """A file is old enough at once."""
    monkeypatch.setattr(open_file, "MIN_AGE_NS", -(10**12))


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "block"
    path.write_bytes(b"pixels")
    return path


def replace(file):
    other = file.with_name("other")
    other.write_bytes(b"PIXELS")
    found = file.stat()
    os.utime(other, ns=(found.st_atime_ns, found.st_mtime_ns))
    other.replace(file)


def rewrite(file):
    found = file.stat()
    file.write_bytes(b"PIXELS")
    os.utime(file, ns=(found.st_atime_ns, found.st_mtime_ns))


def test_unchanged_file_is_read_once(file, read, no_age):
    assert [digest_of(file) for _ in range(3)] == [hashlib.sha256(b"pixels").hexdigest()] * 3
    assert read == ["block"]


@pytest.mark.parametrize("change", [rewrite, replace])
def test_other_content_of_the_same_size_and_modification_time_is_seen(file, read, no_age, change):
    digest_of(file)
    change(file)
    assert digest_of(file) == hashlib.sha256(b"PIXELS").hexdigest()


def test_new_file_is_read_each_time(file, read):
    # A second write within one tick of the clock would not change its times.
    digest_of(file)
    digest_of(file)
    assert read == ["block", "block"]


def test_file_that_is_gone_is_an_error(file, no_age):
    digest_of(file)
    file.unlink()
    with pytest.raises(FileNotFoundError):
        digest_of(file)
