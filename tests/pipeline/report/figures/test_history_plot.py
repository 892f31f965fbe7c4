"""history_plot: the newest accuracies of one model, and the legend does not cover them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.engine.outcome import Outcome
from pipeline.report.figures import history_plot as module
from pipeline.report.figures.history_plot import AccuracyPoint, accuracy_points, history_plot
from tests.pipeline.report.conftest import record_of
from tests.pipeline.report.figures.checks import require_legend_outside

pytestmark = pytest.mark.usefixtures("_drawing")

POINTS = [AccuracyPoint(f"{run:04d}", 0.9, (0.8, 0.95), 0.84, run % 2 == 0) for run in range(9)]
EVALUATED = {"accuracy": 0.9, "interval": [0.8, 0.95], "min_accuracy": 0.84}


def test_legend_is_outside_of_the_axes():
    require_legend_outside(history_plot(POINTS))


@pytest.mark.parametrize("limits", [(None, None), (None, 0.9), (0.8, 0.9)])
def test_limit_is_drawn_if_a_run_had_one(limits):
    points = [replace(point, limit=limit) for point, limit in zip(POINTS, limits, strict=False)]
    (axes,) = history_plot(points).axes
    assert [steps.get_label() for steps in axes.patches] == (
        [] if limits == (None, None) else ["limit for the lower end"]
    )


def test_points_are_of_one_model_and_the_newest(tmp_path, monkeypatch):
    def record(run, model="m", verdict="promoted", outcome="executed", figures=EVALUATED):
        made = {"evaluate": Outcome("evaluate", outcome, passed=True)}
        return replace(record_of(run, made, tmp_path, verdict, model=model), figures=figures)

    records = [
        record("0001"),
        record("0002", model="other"),
        record("0003", verdict="refused"),
        record("0004", outcome="cached"),
        record("0005", verdict="failed"),
        record("0006", figures={}),
        record("0007"),
    ]
    points = accuracy_points("m", records)
    assert [(point.run, point.passed) for point in points] == [("0001", True), ("0003", False), ("0007", True)]
    assert points[0] == AccuracyPoint("0001", 0.9, (0.8, 0.95), 0.84, True)
    monkeypatch.setattr(module, "MAX_POINTS", 2)
    assert [point.run for point in accuracy_points("m", records)] == ["0003", "0007"]
