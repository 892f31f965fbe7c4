"""index: one history plot per model, drawn once for the same runs; a plot that fails leaves the list."""

from __future__ import annotations

from pipeline.report import index
from pipeline.report.drawings import drawing_cache
from tests.pipeline.report.listed_runs import FIGURES, add, written


def plots(page):
    return [label for label in page.values("aria-label") if label.startswith("accuracy of")]


def test_plot_shows_runs_that_executed_a_step_and_have_an_accuracy(history):
    add(history, "0001", "promoted")
    add(history, "0002", "promoted", judged=False)
    add(history, "0003", "failed", figures={})
    add(history, "0004", "refused", figures={**FIGURES, "accuracy": 0.5, "interval": [0.4, 0.6], "min_accuracy": None})
    add(history, "0005", "promoted", judged=False, found=True)
    page = written(history)
    assert plots(page) == ["accuracy of 3 judged models; run 0004: 0.5000"]
    assert "0.9700 0.9155–0.9897" in page.text


def test_plots_are_below_the_table_and_need_two_points(history):
    for run in ("0001", "0002"):
        add(history, run, "promoted")
    add(history, "0003", "promoted", model="other")
    page = written(history)
    assert plots(page) == ["accuracy of 2 judged models; run 0002: 0.9700"]
    assert page.text.index("0001 promoted") < page.text.index("mnist: accuracy over time")


def test_runs_without_an_accuracy_have_no_plot(history):
    add(history, "0001", "failed", figures={})
    assert "accuracy over time" not in written(history).text


def test_plot_that_fails_leaves_the_list(history, monkeypatch, caplog):
    def fail(points):
        raise MemoryError

    fail.__module__ = index.history_plot.__module__
    monkeypatch.setattr(index, "history_plot", fail)
    add(history, "0001", "promoted")
    add(history, "0002", "promoted")
    assert "0001 promoted" in written(history).text
    assert "the history plot of mnist could not be drawn: Cannot allocate memory" in caplog.messages


def test_plot_is_drawn_again_if_the_runs_or_the_code_changed(history, monkeypatch):
    drawn = []
    real = index.history_plot

    def draw(points):
        drawn.append([point.run for point in points])
        return real(points)

    draw.__module__ = real.__module__
    monkeypatch.setattr(index, "history_plot", draw)
    add(history, "0001", "promoted")
    add(history, "0002", "promoted")
    written(history)
    written(history)
    assert drawn == [["0001", "0002"]]
    monkeypatch.setattr(drawing_cache, "source_digests", lambda module: {module: "changed"})
    written(history)
    assert drawn == [["0001", "0002"]] * 2
    add(history, "0003", "promoted")
    written(history)
    assert drawn[2:] == [["0001", "0002", "0003"]]
