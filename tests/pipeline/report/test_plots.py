"""plots: nothing that explains a plot lies over what it shows."""

from __future__ import annotations

import pytest

from pipeline.report import plots
from pipeline.report.plots import Point, accuracy_over_time, calibration

POINTS = [Point(f"{run:04d}", 0.9, (0.8, 0.95), 0.84, run % 2 == 0) for run in range(9)]


@pytest.mark.parametrize(
    "draw",
    [
        lambda by_hand: calibration(by_hand(skill=0.5).evaluation),
        lambda by_hand: accuracy_over_time(POINTS, "a"),
    ],
    ids=["calibration", "accuracy over time"],
)
def test_legend_stands_outside_of_the_axes(by_hand, monkeypatch, draw):
    figures = []
    monkeypatch.setattr(plots, "svg", lambda figure, name, says: figures.append(figure))
    draw(by_hand)
    (figure,) = figures
    figure.draw_without_rendering()
    assert [axes.get_legend() for axes in figure.axes] == [None] * len(figure.axes)
    (legend,) = figure.legends
    box = legend.get_window_extent()
    assert not any(box.overlaps(axes.get_tightbbox()) for axes in figure.axes)
    assert figure.bbox.x0 <= box.x0
    assert box.x1 <= figure.bbox.x1
