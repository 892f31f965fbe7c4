"""Model -> learning curves: loss and accuracy over the epochs, on the training and the validation images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from components.artifacts.model import Model
from pipeline.report.figures.style import BLUE, COLUMN_WIDTH, VERMILLION, new_figure, single_axes
from pipeline.report.figures.text_fitting import fit_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

UNITS = {"loss": "nats", "accuracy": "fraction"}
# More markers than this on one line run into each other.
MARKERS = 40


def learning_curves(model: Model) -> Figure:
    """Loss and accuracy side by side: one curve each, or two with a validation share."""
    figure = new_figure(9, 3.6)
    epochs = f"{len(model.history)} epoch{'' if len(model.history) == 1 else 's'}"
    figure.suptitle(f"{fit_text(model.recipe['preset'])}: {model.parameters:,} parameters, {epochs}")
    for axes, quantity in zip(figure.subplots(1, 2), UNITS, strict=True):
        _draw_curves(axes, model, quantity)
    return figure


def loss_curve(model: Model) -> Figure:
    """The loss alone."""
    return _curve(model, "loss")


def accuracy_curve(model: Model) -> Figure:
    """The accuracy alone."""
    return _curve(model, "accuracy")


def _curve(model: Model, quantity: str) -> Figure:
    last = ", ".join(f"{name} {value:.4f}" for name, value in model.history[-1].items())
    description = f"{quantity} over {len(model.history)} epochs; after the last epoch {last}"
    figure = new_figure(COLUMN_WIDTH, 3, description)
    _draw_curves(single_axes(figure), model, quantity)
    return figure


def _draw_curves(axes: Axes, model: Model, quantity: str) -> None:
    from matplotlib.ticker import MaxNLocator

    epochs = range(1, len(model.history) + 1)
    lines = {quantity: ("training", BLUE, "o-"), f"val_{quantity}": ("validation", VERMILLION, "s--")}
    for name, (label, colour, line) in lines.items():
        values = [epoch[name] for epoch in model.history if name in epoch]
        if values:
            every = -(-len(values) // MARKERS)
            axes.plot(epochs, values, line, color=colour, label=label, markersize=4, markevery=every)
    # The ends are half an epoch away, so that a single epoch has an axis too.
    axes.set(xlabel="epoch", ylabel=f"{quantity} ({UNITS[quantity]})", xlim=(0.5, len(model.history) + 0.5))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.legend()
