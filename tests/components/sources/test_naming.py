"""naming: a set's path becomes names that any folder can have, and no two paths become one model."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.sources.naming import find_place, model_name, plain_name, set_name
from serving.errors import InputError
from serving.registry import require_plain_name

# What os.fsdecode makes of bytes that are no UTF-8 is a text too.
characters = st.characters() | st.characters(min_codepoint=0xDC80, max_codepoint=0xDCFF, categories=["Cs"])


@given(st.text(characters, max_size=300))
def test_any_text_becomes_a_plain_name(text):
    name = plain_name(text)
    require_plain_name(name)
    assert len(name) <= 100


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("flowers", "flowers"),
        ("flowers_v1.2", "flowers_v1.2"),
        ("my flowers (new)", "my-flowers-new"),
        ("blümchen", "blumchen"),
        ("..hidden", "hidden"),
        ("花", "set"),
        ("a" * 300, "a" * 100),
        ("", "set"),
    ],
)
def test_plain_name_keeps_what_can_be_read(text, name):
    assert plain_name(text) == name


def test_link_that_moves_on_stays_the_same_model(tmp_path):
    for day in ("monday", "tuesday"):
        (tmp_path / day).mkdir()
    link = tmp_path / "current"
    link.symlink_to(tmp_path / "monday")
    before = model_name(link)
    link.unlink()
    link.symlink_to(tmp_path / "tuesday")
    assert model_name(link) == before != model_name(tmp_path / "tuesday")


def test_model_is_of_the_place_however_it_is_written(tmp_path, monkeypatch):
    (tmp_path / "a" / "flowers").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "a")
    names = {model_name(path) for path in (tmp_path / "a" / "flowers", tmp_path / "a" / ".." / "a" / "flowers")}
    assert names == {model_name(Path("flowers"))}
    (name,) = names
    assert name.startswith("flowers-")
    assert len(name) == len("flowers-") + 6
    assert model_name(tmp_path / "c" / "flowers") != name
    require_plain_name(name)


def test_set_name_is_the_last_name(tmp_path, monkeypatch):
    assert set_name(tmp_path / "flowers.v2") == "flowers.v2"
    assert set_name(tmp_path / "digits.v2.npz") == "digits.v2"
    assert set_name(Path(os.fsdecode(b"caf\xe9"))) == "caf\\xe9"
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert set_name(Path(".")) == "here"


def test_missing_place_is_told_with_its_nearest_neighbour(tmp_path, monkeypatch):
    (tmp_path / "flowers").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find_place(Path("~/flowers")) == tmp_path / "flowers"
    with pytest.raises(InputError, match=r"flower does not exist: did you mean .*/flowers"):
        find_place(tmp_path / "flower")
    with pytest.raises(InputError, match="zebra does not exist: give the path of one that is there"):
        find_place(tmp_path / "zebra")
    with pytest.raises(InputError, match="nowhere/flowers does not exist"):
        find_place(tmp_path / "nowhere" / "flowers")


def test_place_of_nobody_s_home_does_not_exist(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="~nobody-of-this-name/flowers does not exist"):
        find_place(Path("~nobody-of-this-name/flowers"))
    (tmp_path / "loop").symlink_to("loop")
    assert model_name(Path("loop")).startswith("loop-")
    with pytest.raises(InputError, match="loop does not exist"):
        find_place(Path("loop"))
