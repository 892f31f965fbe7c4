"""journal: what was written comes back, as far as it is whole, whatever a kill or a stranger left."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.journal import Entry, key_line, read_journal

KEY = {"bundle_sha256": "ab", "rows": 12}
ENTRIES = [Entry(stop, 100 * stop, "cd" * 32, {"drift": {"rows": [stop]}}) for stop in (4, 8, 12)]
WHOLE = key_line(KEY) + b"".join(entry.line() for entry in ENTRIES)


def test_entries_come_back_in_order():
    assert read_journal(WHOLE) == (KEY, ENTRIES)
    assert read_journal(key_line(KEY)) == (KEY, [])


@given(st.integers(0, len(WHOLE)))
def test_line_that_was_being_written_is_left_out(length):
    key, entries = read_journal(WHOLE[:length])
    lines = WHOLE[:length].count(b"\n")
    assert key == (KEY if lines else {})
    assert entries == ENTRIES[: max(0, lines - 1)]


def test_each_entry_is_one_line_whose_length_is_that_of_what_was_read():
    key, entries = read_journal(WHOLE)
    assert key_line(key) + b"".join(entry.line() for entry in entries) == WHOLE
    assert WHOLE.count(b"\n") == 4


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"\n", b"nonsense\n", b"[]\n", b"3\n", b"\xff\xfe\n", b"null\n", b'"text"\n'),
        *(key_line(KEY) + line for line in (b'{"stop": 3}\n', b"[]\n", b'{"other": 1}\n')),
    ],
)
def test_what_is_no_journal_has_no_entries(content):
    assert read_journal(content) in (({}, []), (KEY, []))


@pytest.mark.parametrize("damaged", [b"\0\0\0\0\n", b"[1\n", b'{"stop": 1}\n'])
def test_what_follows_a_damaged_line_is_left_out(damaged):
    first, second, third = (entry.line() for entry in ENTRIES)
    assert read_journal(key_line(KEY) + first + second + damaged + third) == (KEY, ENTRIES[:2])
