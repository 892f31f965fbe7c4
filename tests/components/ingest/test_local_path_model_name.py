"""local_path: two data sets never share a model's name by default."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from components.ingest.local_path import default_model_name, plain_name
from serving.registry.registry import require_model_name

# Also the surrogates that os.fsdecode returns for bytes that are not UTF-8.
characters = st.characters() | st.characters(min_codepoint=0xDC80, max_codepoint=0xDCFF, categories=["Cs"])


@given(st.text(characters, max_size=300))
@example("MODELS.CONFIG")
def test_any_text_becomes_a_valid_model_name(text):
    name = plain_name(text)
    assert len(name) <= 100
    # The digits also make a name of a server's file, which no model may have, a valid one.
    require_model_name(f"{name}-3f09ab")


def test_folder_named_like_a_file_of_the_servers_gives_a_valid_model_name(tmp_path):
    require_model_name(default_model_name(tmp_path / "models.config"))


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
def test_plain_name_keeps_ascii_text(text, name):
    assert plain_name(text) == name


def test_link_to_another_folder_keeps_the_model(tmp_path):
    for day in ("monday", "tuesday"):
        (tmp_path / day).mkdir()
    link = tmp_path / "current"
    link.symlink_to(tmp_path / "monday")
    before = default_model_name(link)
    link.unlink()
    link.symlink_to(tmp_path / "tuesday")
    assert default_model_name(link) == before != default_model_name(tmp_path / "tuesday")


def test_model_name_depends_on_the_absolute_path(tmp_path, monkeypatch):
    (tmp_path / "a" / "flowers").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "a")
    names = {default_model_name(path) for path in (tmp_path / "a" / "flowers", tmp_path / "a" / ".." / "a" / "flowers")}
    assert names == {default_model_name(Path("flowers"))}
    (name,) = names
    assert name.startswith("flowers-")
    assert len(name) == len("flowers-") + 6
    assert default_model_name(tmp_path / "c" / "flowers") != name
    require_model_name(name)
