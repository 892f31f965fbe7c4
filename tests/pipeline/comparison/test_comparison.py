"""comparison: what is kept is read back, which is the best, and what the command ends with."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from pipeline.comparison.comparison import Comparison, reserve
from serving.errors import InputError
from tests.pipeline.comparison.entries import comparison, entry, failed


def test_what_is_saved_is_loaded(tmp_path):
    kept = comparison(entry("a", 950), entry("b", 900, verdict="refused"), failed("c"))
    kept.save(tmp_path / "0001.json")
    assert Comparison.load(tmp_path / "0001.json") == kept


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"entries": 3}', "[" * 100_000])
def test_something_else_is_no_comparison(tmp_path, text):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(InputError, match=r"x\.json is no comparison"):
        Comparison.load(tmp_path / "x.json")


def test_the_best_passed_every_gate_and_is_the_smallest_of_equals():
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


def test_numbers_go_on_and_are_never_given_twice(tmp_path):
    assert [reserve(tmp_path).name for _ in range(2)] == ["0001.json", "0002.json"]
    (tmp_path / "comparisons" / "notes.json").write_text("of the user's own")
    (tmp_path / "comparisons" / "0041.json").write_text(json.dumps({}))
    assert reserve(tmp_path).name == "0042.json"


def test_number_that_somebody_else_takes_meanwhile_is_left_to_them(tmp_path, monkeypatch):
    really, theirs = os.open, tmp_path / "comparisons" / "0001.json"

    def after_them(file, *how):
        if Path(file) == theirs and not theirs.exists():
            theirs.write_text("theirs")
        return really(file, *how)

    monkeypatch.setattr(os, "open", after_them)
    assert reserve(tmp_path).name == "0002.json"
    assert theirs.read_text() == "theirs"
