"""SECURITY.md: each protection names a test that exists."""

from __future__ import annotations

import re

import pytest

from tests.conftest import ROOT

PAGE = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", PAGE)


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_named_test_exists(file, name):
    assert not name or f"\ndef {name}(" in (ROOT / file).read_text(encoding="utf-8")


def test_every_protection_has_a_test():
    rows = [line for line in PAGE.partition("## Not trusted")[2].splitlines() if line.startswith("| ")]
    assert len(rows) > 15
    assert [row for row in rows if "tests/" not in row and not row.endswith("| test |")] == []
