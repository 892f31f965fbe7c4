"""syntax_cache: a file is parsed once, and never taken for another."""

from __future__ import annotations

import sys

import pytest

from pipeline.engine.syntax_cache import MOST_FILES, Syntax, SyntaxCache

A, B = Syntax("a" * 64, ("os", "serving.files")), Syntax("b" * 64, ())


@pytest.fixture
def source(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    return tmp_path / "source.py"


def refuse(content):
    raise AssertionError(f"{content} was parsed again")


def filled(source):
    cache = SyntaxCache.beside(source)
    assert cache.get(b"a", lambda content: A) == A
    cache.save()
    return cache


def test_known_content_is_not_parsed_again_and_other_content_is(source):
    filled(source)
    again = SyntaxCache.beside(source)
    assert again.get(b"a", refuse) == A
    assert again.get(b"a ", lambda content: B) == B
    again.save()
    assert SyntaxCache.beside(source).get(b"a ", refuse) == B


def test_only_something_new_is_written(source):
    file = filled(source).file
    file.write_bytes(file.read_bytes() + b" ")
    again = SyntaxCache.beside(source)
    again.get(b"a", refuse)
    again.save()
    assert file.read_bytes().endswith(b" ")


@pytest.mark.parametrize("content", [b"", b"{", b'{"syntax": {"x": ["a"]}}', b"[]"])
def test_damaged_cache_is_written_again(source, content):
    file = filled(source).file
    file.write_bytes(content)
    filled(source)
    assert SyntaxCache.beside(source).get(b"a", refuse) == A


def test_what_cannot_be_written_is_parsed_each_time(source):
    source.with_name("__pycache__").write_text("a file in the place of the folder")
    filled(source)
    assert SyntaxCache.beside(source).get(b"a", lambda content: B) == B


def test_nothing_is_written_if_python_writes_no_compiled_code(source, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    filled(source)
    assert not source.with_name("__pycache__").exists()


def test_unused_files_are_forgotten_when_there_are_many(source):
    cache = SyntaxCache.beside(source)
    for number in range(MOST_FILES + 1):
        cache.get(str(number).encode(), lambda content: A)
    cache.save()
    cache = SyntaxCache.beside(source)
    cache.get(b"new", lambda content: B)
    cache.save()
    assert SyntaxCache.beside(source).get(b"0", lambda content: B) == B
