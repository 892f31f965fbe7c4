"""comparison: saving and loading, the best entry, and the exit code."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from pipeline.comparison.comparison import Comparison, reserve_file
from serving.errors import InputError
from tests.pipeline.comparison.entries import comparison, entry, failed


def test_loads_a_saved_comparison(tmp_path):
    saved = comparison(entry("a", 950), entry("b", 900, verdict="refused"), failed("c"))
    saved.save(tmp_path / "0001.json")
    assert Comparison.load(tmp_path / "0001.json") == saved


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"entries": 3}', "[" * 100_000])
def test_refuses_a_file_that_is_not_a_comparison(tmp_path, text):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(InputError, match=r"x\.json is not a comparison"):
        Comparison.load(tmp_path / "x.json")


def test_best_entry_passed_every_gate_and_is_the_smallest_of_equals():
    found = comparison(
        entry("most", 990, verdict="refused"), entry("large", 950, parameters=9000), entry("small", 950), entry("d", 10)
    )
    assert found.best.preset == "small"
    assert [one.preset for one in found.ranked] == ["most", "small", "large", "d"]


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        ([entry("a", 950), entry("b", 900, verdict="refused"), failed("c")], 0),
        ([entry("a", 950, verdict="refused"), entry("b", 900, verdict="refused")], 3),
        ([entry("a", 950, verdict="refused"), failed("c")], 1),
        ([failed("b"), failed("c")], 1),
    ],
)
def test_exit_code(entries, code):
    assert comparison(*entries).exit_code == code


def test_numbers_are_consecutive_and_unique(tmp_path):
    assert [reserve_file(tmp_path).name for _ in range(2)] == ["0001.json", "0002.json"]
    (tmp_path / "comparisons" / "notes.json").write_text("written by a user")
    (tmp_path / "comparisons" / "0041.json").write_text(json.dumps({}))
    assert reserve_file(tmp_path).name == "0042.json"


def test_skips_a_number_that_another_process_takes_meanwhile(tmp_path, monkeypatch):
    really, theirs = os.open, tmp_path / "comparisons" / "0001.json"

    def open_after_the_other(file, *how):
        if Path(file) == theirs and not theirs.exists():
            theirs.write_text("theirs")
        return really(file, *how)

    monkeypatch.setattr(os, "open", open_after_the_other)
    assert reserve_file(tmp_path).name == "0002.json"
    assert theirs.read_text() == "theirs"
