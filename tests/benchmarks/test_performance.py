"""benchmarks.performance: each part has a place on the page, and only what was measured changes."""

from __future__ import annotations

import datetime

import pytest

from benchmarks import performance
from benchmarks.performance import PAGE, described, parts, replaced
from serving.errors import BeamlineError

TEXT = "# Page\n\n<!-- one -->\nold\nlines\n<!-- end -->\n\n<!-- two -->\nother\n<!-- end -->\n"


def test_only_the_text_of_the_place_is_replaced():
    assert replaced(TEXT, "one", r"new \1") == TEXT.replace("old\nlines", r"new \1")
    with pytest.raises(BeamlineError, match="has no place <!-- three -->"):
        replaced(TEXT, "three", "new")


def test_page_has_a_place_for_each_part_and_a_figure_in_it():
    page = PAGE.read_text(encoding="utf-8")
    for name in parts("", "", ()):
        assert replaced(page, name, "new") != page
        assert replaced(page, name, "not measured") != page


def test_figures_are_shown_with_the_day_and_the_machine():
    text = described("ratio: 0.50\n", datetime.date(2026, 1, 2))
    assert text.startswith("2026-01-02, ")
    assert " processors, Python 3." in text
    assert text.endswith("\n\n```text\nratio: 0.50\n```")


def test_parts_are_measured_in_order_and_written(tmp_path, monkeypatch, capsys):
    page = tmp_path / "page.md"
    page.write_text("".join(f"<!-- {name} -->\nold\n<!-- end -->\n" for name in parts("", "", ())))
    monkeypatch.setattr(performance, "PAGE", page)
    monkeypatch.setattr(performance, "measure", lambda *command: f"{' '.join(command)}\n")
    assert performance.main(["models/m", "images.npy", "--only", "pictures", "--only", "scoring"]) == 0
    assert capsys.readouterr().out == "scoring: measured\npictures: measured\n"
    text = page.read_text()
    assert "scoring models/m images.npy --rows 3000000 --rounds 9\n" in text
    assert text.count("old") == len(parts("", "", ())) - 2


def test_benchmark_that_fails_is_one_sentence(capsys):
    assert performance.main(["nowhere", "nowhere.npy", "--only", "scoring"]) == 1
    assert capsys.readouterr().err.startswith("benchmarks.performance: benchmarks.scoring ended with 2: ")
