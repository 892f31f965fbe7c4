"""rendering: text from outside is printable, and long file names are shortened in the middle."""

from __future__ import annotations

import errno

import pytest

from pipeline.report import rendering
from pipeline.report.rendering import printable, printable_lines, shortened


def test_characters_that_are_not_printable_are_escaped_and_lines_are_kept():
    # A character that reverses the direction of text, a control sequence of a terminal, and line ends.
    text = printable_lines("gnp\u202e.exe\r\nred\x1b[31m\n")
    assert text == "gnp\\u202e.exe\nred\\x1b[31m"
    assert printable("gnp\u202e.exe\n") == "gnp\\u202e.exe\\n"


@pytest.mark.parametrize("length", [0, 1, 47, 48, 49, 300])
def test_long_name_keeps_start_and_end(length):
    name = "".join(chr(ord("a") + place % 26) for place in range(length))
    short = shortened(name)
    assert len(short) == min(length, 48)
    start, cut, end = short.partition("…")
    assert name.startswith(start)
    assert name.endswith(end)
    assert bool(cut) == (length > 48)


@pytest.mark.parametrize("lacking", ["folder", "disk"])
def test_page_does_not_depend_on_the_compiled_templates(tmp_path, monkeypatch, lacking):
    if lacking == "folder":
        (tmp_path / "__pycache__").write_text("a file in the place of the folder")
    else:
        monkeypatch.setattr("tempfile.NamedTemporaryFile", full_disk)
    monkeypatch.setattr(rendering.sys, "dont_write_bytecode", False)
    monkeypatch.setattr(rendering, "cache_from_source", lambda file: str(tmp_path / "__pycache__" / "page.pyc"))
    rendering._environment.cache_clear()
    try:
        assert rendering._environment().get_template("base.html.j2").root_render_func
        assert (rendering._compiled_templates() is None) == (lacking == "folder")
    finally:
        rendering._environment.cache_clear()


def full_disk(*arguments, **options):
    raise OSError(errno.ENOSPC, "No space left on device")
