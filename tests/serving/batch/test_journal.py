"""journal: the entries before the first damaged line are read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.batch.journal import Entry, journal_line, read_journal

DEPENDENCIES = {"bundle_sha256": "ab", "rows": 12}
ENTRIES = [Entry(stop, 100 * stop, "cd" * 32, {"drift": {"rows": (stop,)}}) for stop in (4, 8, 12)]
WHOLE = b"".join(map(journal_line, (DEPENDENCIES, *ENTRIES)))


def test_entries_are_read_in_order():
    assert read_journal(WHOLE) == (DEPENDENCIES, ENTRIES)
    assert read_journal(journal_line(DEPENDENCIES)) == (DEPENDENCIES, [])


@given(st.integers(0, len(WHOLE)))
def test_incomplete_last_line_is_ignored(length):
    dependencies, entries = read_journal(WHOLE[:length])
    lines = WHOLE[:length].count(b"\n")
    assert dependencies == (DEPENDENCIES if lines else {})
    assert entries == ENTRIES[: max(0, lines - 1)]


def test_entries_are_written_as_the_lines_that_were_read():
    dependencies, entries = read_journal(WHOLE)
    assert b"".join(map(journal_line, (dependencies, *entries))) == WHOLE
    assert WHOLE.count(b"\n") == 4


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"\n", b"nonsense\n", b"[]\n", b"3\n", b"\xff\xfe\n", b"null\n", b'"text"\n'),
        *(journal_line(DEPENDENCIES) + line for line in (b'{"stop": 3}\n', b"[]\n", b'{"other": 1}\n')),
    ],
)
def test_other_content_has_no_entries(content):
    assert read_journal(content) in (({}, []), (DEPENDENCIES, []))


@pytest.mark.parametrize("damaged", [b"\0\0\0\0\n", b"[1\n", b'{"stop": 1}\n'])
def test_lines_after_a_damaged_line_are_ignored(damaged):
    first, second, third = map(journal_line, ENTRIES)
    assert read_journal(journal_line(DEPENDENCIES) + first + second + damaged + third) == (DEPENDENCIES, ENTRIES[:2])
