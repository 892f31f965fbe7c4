"""Evaluation -> calibration plot: accuracy over confidence, and the number of images at each confidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from components.artifacts.evaluation import Evaluation
from pipeline.report.figures.style import BLUE, COLUMN_WIDTH, GREY, new_figure
from serving.wilson import estimate

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def calibration_plot(evaluation: Evaluation) -> Figure:
    """The accuracy of each bin of confidence with its 95 % interval, above a histogram of the bins."""
    bins = [found for found in evaluation.calibration if found.rows]
    confidence = [float(found.confidence or 0) for found in bins]
    accuracy = [float(found.accuracy or 0) for found in bins]
    intervals = [estimate(round(found.rows * float(found.accuracy or 0)), found.rows) for found in bins]
    error = f"expected calibration error {evaluation.calibration_error:.4f}"
    figure = new_figure(COLUMN_WIDTH, 4.2, f"calibration curve: {error}")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    upper.plot([0, 1], [0, 1], "--", color=GREY, label="as confident as correct")
    low = [max(0.0, value - found.low) for value, found in zip(accuracy, intervals, strict=True) if found]
    high = [max(0.0, found.high - value) for value, found in zip(accuracy, intervals, strict=True) if found]
    label = "test images, 95 % interval"
    upper.errorbar(confidence, accuracy, (low, high), fmt="o", color=BLUE, capsize=2, label=label)
    upper.set(ylabel="accuracy (fraction)", ylim=(-0.03, 1.03), xlim=(-0.02, 1.02))
    figure.legend(loc="outside upper left")
    # The bins are of equal width.
    width = 1 / len(evaluation.calibration)
    places = [index * width for index, found in enumerate(evaluation.calibration) if found.rows]
    lower.bar(places, [found.rows for found in bins], width * 0.9, align="edge", color=BLUE, log=True)
    lower.yaxis.set_major_formatter("{x:,.0f}")
    # Between the major ticks a logarithmic axis would write powers, as formulas.
    lower.yaxis.set_minor_formatter("")
    lower.set(xlabel="probability of the predicted class", ylabel="images")
    return figure
