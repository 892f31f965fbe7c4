"""calibration_plot: the legend does not cover the data."""

from __future__ import annotations

import pytest

from pipeline.report.figures.calibration_plot import calibration_plot
from tests.pipeline.report.figures.checks import require_legend_outside

pytestmark = pytest.mark.usefixtures("_drawing")


def test_legend_is_outside_of_the_axes(by_hand):
    require_legend_outside(calibration_plot(by_hand(skill=0.5).evaluation))
