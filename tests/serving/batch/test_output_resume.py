"""output: `resume` continues with the intact blocks of a stopped process, to the same bytes."""

from __future__ import annotations

import os

import pytest

from serving.batch.output import Output
from tests.serving.batch.outputs import (
    BLOCKS,
    DEPENDENCIES,
    JOURNAL,
    STAGED,
    WHOLE,
    names,
    resume,
    save,
    stop_after,
    write,
)


@pytest.mark.parametrize("written", [1, 2, 3])
def test_stop_after_a_block_is_resumed(target, written):
    stop_after(target, BLOCKS[:written])
    assert names(target.parent) == [JOURNAL, STAGED]
    assert resume(target) == written
    assert target.read_bytes() == WHOLE
    assert names(target.parent) == ["out.csv", "out.csv.json"]


def test_stop_names_the_flag_to_continue(target):
    stop = stop_after(target, BLOCKS[:2])
    assert stop.__notes__ == ["the predictions of the first 4 images are kept: continue with --resume"]


def test_resume_returns_the_kept_entries(target):
    stop_after(target, BLOCKS[:2])
    with Output(target, DEPENDENCIES) as output:
        entries = output.resume()
    assert [(entry.stop, entry.end_bytes, entry.counts) for entry in entries] == [
        (2, 13, {"number": 0}),
        (4, 20, {"number": 1}),
    ]


def test_failure_after_resume_keeps_the_earlier_blocks(target):
    stop_after(target, BLOCKS[:2])
    with pytest.raises(RuntimeError), Output(target, DEPENDENCIES) as output:  # noqa: PT012
        output.resume()
        raise RuntimeError
    assert resume(target) == 2
    assert target.read_bytes() == WHOLE


@pytest.mark.parametrize("other", [{**DEPENDENCIES, "rows": 7}, {"rows": 6}, {}, {**DEPENDENCIES, "more": 1}])
def test_blocks_of_another_key_are_discarded(target, other):
    stop_after(target, [b"other\n", b"work\n"], dependencies=other)
    assert resume(target) == 0
    assert target.read_bytes() == WHOLE


@pytest.mark.parametrize("kept", range(len(WHOLE)))
def test_truncated_staged_file_is_resumed_from_its_last_whole_block(target, kept):
    stop_after(target, BLOCKS)
    os.truncate(target.with_name(STAGED), kept)
    assert resume(target) == sum(kept >= end for end in (13, 20, 26))
    assert target.read_bytes() == WHOLE


@pytest.mark.parametrize("place", range(len(WHOLE)))
def test_changed_staged_file_is_resumed_from_the_block_before_the_change(target, place):
    stop_after(target, BLOCKS)
    content = bytearray(WHOLE)
    content[place] ^= 1
    target.with_name(STAGED).write_bytes(content)
    assert resume(target) == sum(place >= end for end in (13, 20, 26))
    assert target.read_bytes() == WHOLE


def test_truncated_journal_and_longer_staged_file_are_resumed(target):
    stop_after(target, BLOCKS)
    journal = target.with_name(JOURNAL).read_bytes()
    for length in range(len(journal) + 1):
        target.with_name(STAGED).write_bytes(WHOLE + b"half a bl")
        target.with_name(JOURNAL).write_bytes(journal[:length])
        assert resume(target) == max(0, journal[:length].count(b"\n") - 1)
        assert target.read_bytes() == WHOLE


def test_stop_of_a_resumed_run_is_resumed_again(target):
    stop_after(target, BLOCKS[:1])
    for written in (1, 2):
        with pytest.raises(KeyboardInterrupt), Output(target, DEPENDENCIES) as output:  # noqa: PT012
            assert len(output.resume()) == written
            write(output, [BLOCKS[written]], written)
            raise KeyboardInterrupt
    assert resume(target) == 3
    assert target.read_bytes() == WHOLE


def test_run_without_resume_discards_the_kept_blocks(target):
    stop_after(target, [b"old\n", b"older\n"])
    save(target)
    assert target.read_bytes() == WHOLE
    assert names(target.parent) == ["out.csv", "out.csv.json"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_stop_before_resume_keeps_the_earlier_blocks(target, error):
    stop_after(target, BLOCKS[:2])
    with pytest.raises(error), Output(target, DEPENDENCIES):
        raise error
    assert resume(target) == 2
    assert target.read_bytes() == WHOLE


def test_differences_from_an_earlier_run_are_named(target):
    stop_after(target, BLOCKS[:1], dependencies={**DEPENDENCIES, "rows": 7, "more": 1})
    with Output(target, DEPENDENCIES) as output:
        assert (output.resume(), output.changed_dependencies) == ([], ["more", "rows"])
    with Output(target.with_name("new.csv"), DEPENDENCIES) as output:
        assert (output.resume(), output.changed_dependencies) == ([], [])
