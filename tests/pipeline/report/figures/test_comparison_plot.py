"""comparison_plot, comparison_report: names do not overlap, values are those of the comparison, text is escaped."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import combinations

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from pipeline.comparison.comparison import PairTest
from pipeline.report.comparison_report import comparison_page, matrix
from pipeline.report.figures.comparison_plot import comparison_figure, write_comparison
from pipeline.report.figures.style import drawing
from tests.pipeline.comparison.entries import comparison, entry, failed

CLOSE = comparison(
    *(entry(f"preset-number-{index}", 960 + index // 3, parameters=1000 + index // 2) for index in range(9))
)
SPREAD = comparison(
    entry("best", 990, parameters=200_000),
    entry("mid", 900, verdict="refused"),
    entry("low", 20, parameters=8),
    failed("x"),
)
# All except one belong at the top.
TOP = comparison(*(entry(f"preset-number-{index}", 990 - index) for index in range(7)), entry("low", 20))
BOTTOM = comparison(entry("W" * 90, 990), *(entry(f"preset-number-{index}", 20 - index) for index in range(7)))
EQUAL = comparison(entry("one", 500), entry("other", 500))


@pytest.mark.parametrize(
    "shown", [CLOSE, SPREAD, TOP, BOTTOM, EQUAL], ids=["close", "spread", "top", "bottom", "equal"]
)
def test_names_do_not_overlap_and_lie_on_the_picture(shown):
    with drawing():
        figure = comparison_figure(shown)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        boxes = [
            # An annotation's own extent has its line in it.
            (text.get_text(), Text.get_window_extent(text, canvas.get_renderer()))
            for axes in figure.axes
            for text in [*axes.texts, *(axes.get_yticklabels() if axes is not figure.axes[0] else [])]
        ]
    whole = figure.bbox
    for text, box in boxes:
        assert whole.x0 <= box.x0 <= box.x1 <= whole.x1, text
        assert whole.y0 <= box.y0 <= box.y1 <= whole.y1, text
    for (text, box), (other_text, other) in combinations(boxes, 2):
        assert not box.overlaps(other), (text, other_text)


def test_every_panel_has_every_preset_that_was_evaluated(tmp_path):
    with drawing():
        points, training, scoring = comparison_figure(SPREAD).axes
    assert [text.get_text() for text in points.texts] == ["best", "mid (refused)", "low"]
    assert [text.get_text() for text in training.get_yticklabels()] == ["best", "mid", "low"]
    assert [text.get_text() for text in training.texts] == ["12.5 s"] * 3
    assert [text.get_text() for text in scoring.texts] == ["1,235", "–", "1,235"]
    write_comparison(SPREAD, tmp_path / "one.png")
    write_comparison(SPREAD, tmp_path / "same.png")
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "same.png").read_bytes()


def test_matrix_has_each_pair_from_both_sides():
    fields = dict(matrix(SPREAD))
    assert list(fields) == ["best", "mid", "low"]
    assert fields["best"][0] is None
    assert (fields["best"][1].difference, fields["best"][1].judgement) == ("90 : 0", "better")
    assert (fields["mid"][0].difference, fields["mid"][0].judgement) == ("0 : 90", "worse")
    # The second smallest of three, of 880 images that one alone gets right.
    assert fields["mid"][2].p == fields["low"][1].p == pytest.approx(2 / 2**880, rel=1e-9, abs=0)


def test_page_of_recipes_has_means_deviations_and_differences():
    seeds = (7, 8, 9)
    one = entry("one", 950, seeds=seeds, accuracies=(0.95, 0.96, 0.94))
    other = entry("other", 900, seeds=seeds, accuracies=(0.9, 0.91, 0.89))
    pair = PairTest("one", "other", None, None, 0.002, 0.002, 0.05, (0.03, 0.07))
    scope = "compares recipes, with 3 seeds each"
    found = replace(comparison(one, other), pairs=(pair,), seeds=3, scope=scope)
    page = comparison_page(found, "0003")
    body = page[page.index("<body>") :]
    assert body.index("This page compares recipes, with 3 seeds each.") < body.index("one is the most accurate")
    assert "0.9500 ± 0.0100 (0.9400 to 0.9600)" in page
    assert "mean of seeds ± deviation (range)" in page
    cells = re.findall(r"([+-][\d.]+)<br>.*?<strong>(\w+)</strong>", page)
    assert cells == [("+0.0500", "better"), ("-0.0500", "worse")]
    line = "one is significantly better than other (+0.0500, 95 % interval +0.0300 to +0.0700, adjusted p 0.002)"
    assert line in page
    assert "McNemar" not in page
    assert "Test accuracy, mean and range over seeds" in page
    # The mean decides, not the model of the first seed.
    lucky = replace(other, correct=990)
    assert [one.preset for one in replace(found, entries=(one, lucky)).ranked] == ["one", "other"]


def test_page_says_the_verdict_first_links_to_the_runs_and_escapes():
    page = comparison_page(comparison(entry("<b>", 900), entry("good", 950, run="0007"), failed("x")), "0003")
    body = page[page.index("<body>") :]
    assert body.index("good is the most accurate preset that passed every gate") < body.index("<table>")
    assert '<a href="../reports/0007.html">0007</a>' in page
    assert "<b>" not in page
    assert page.count("<svg ") == 3
    assert re.findall(r"(\d+ : \d+)<br>.*?<strong>(\w+)</strong>", page) == [("50 : 0", "better"), ("0 : 50", "worse")]
    assert "the run did not finish (exit code -9)" in page


def test_page_of_what_was_never_evaluated_has_no_pictures():
    page = comparison_page(comparison(failed("a"), failed("b")), "0001")
    assert "<svg" not in page
    assert "none of 2 presets passed every gate" in page
