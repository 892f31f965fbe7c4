"""arguments: help as wide as the terminal, and printed also if the variable for its width is not valid."""

from __future__ import annotations

import pytest

from serving.arguments.parser import Arguments


@pytest.mark.parametrize("columns", ["", "0", "1", "-5", "wide", "1e3", "9" * 5000, "100"])
def test_help_is_printed_for_every_width(monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    parser = Arguments("command", "Does something.")
    parser.add_argument("--flag", help="a flag")
    assert "a flag" in parser.format_help()
