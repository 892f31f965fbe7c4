"""local_path: a missing path is refused with a similar one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from components.ingest.local_path import default_model_name, existing_path, path_name
from serving.errors import InputError


def test_name_is_the_last_part_of_the_path(tmp_path, monkeypatch):
    assert path_name(tmp_path / "flowers.v2") == "flowers.v2"
    assert path_name(tmp_path / "digits.v2.npz") == "digits.v2"
    for suffix in (".csv", ".csv.gz", ".parquet", ".tfrecord", ".array_record", ".tar.gz", ".mat"):
        assert path_name(tmp_path / f"digits.v2{suffix}") == "digits.v2"
    assert path_name(Path(os.fsdecode(b"caf\xe9"))) == "caf\\xe9"
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert path_name(Path(".")) == "here"


def test_missing_path_is_refused_with_the_most_similar_name(tmp_path, monkeypatch):
    (tmp_path / "flowers").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    assert existing_path(Path("~/flowers")) == tmp_path / "flowers"
    with pytest.raises(InputError, match=r"flower does not exist: did you mean .*/flowers"):
        existing_path(tmp_path / "flower")
    with pytest.raises(InputError, match="zebra does not exist: give the path of an existing one"):
        existing_path(tmp_path / "zebra")
    with pytest.raises(InputError, match="nowhere/flowers does not exist"):
        existing_path(tmp_path / "nowhere" / "flowers")


def test_unknown_home_and_link_cycle_do_not_exist(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="~unknown-user/flowers does not exist"):
        existing_path(Path("~unknown-user/flowers"))
    (tmp_path / "loop").symlink_to("loop")
    assert default_model_name(Path("loop")).startswith("loop-")
    with pytest.raises(InputError, match="loop does not exist"):
        existing_path(Path("loop"))
