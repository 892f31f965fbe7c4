"""Model -> learning curves: loss and accuracy over the epochs, of training and of what was held out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from components.artifacts.model import Model
from pipeline.report.letters import legible
from pipeline.report.style import BLUE, VERMILLION, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# More markers than this on one line run into each other.
MARKERS = 40


def learning_curves(model: Model) -> Figure:
    """Two curves, or four where a share of the training images was held out for validation."""
    figure = new_figure(9, 3.6)
    epochs = len(model.history)
    figure.suptitle(
        f"{legible(model.recipe['preset'])}: {model.parameters:,} parameters, "
        f"{epochs} epoch{'' if epochs == 1 else 's'}"
    )
    for axes, quantity, unit in zip(figure.subplots(1, 2), ("loss", "accuracy"), ("nats", "fraction"), strict=True):
        draw_curves(axes, model, quantity, f"{quantity} ({unit})")
    return figure


def draw_curves(axes: Axes, model: Model, quantity: str, label: str) -> None:
    """Draws one quantity over the epochs, training and, where there is one, validation.

    Args:
        axes: where.
        model: whose history is drawn.
        quantity: `loss` or `accuracy`.
        label: what is written at the axis.
    """
    from matplotlib.ticker import MaxNLocator

    epochs = range(1, len(model.history) + 1)
    looks = {quantity: ("training", BLUE, "o-"), f"val_{quantity}": ("validation", VERMILLION, "s--")}
    for name, (said, colour, look) in looks.items():
        values = [epoch[name] for epoch in model.history if name in epoch]
        if values:
            every = -(-len(values) // MARKERS)
            axes.plot(epochs, values, look, color=colour, label=said, markersize=4, markevery=every)
    # The ends are half an epoch away, so that one epoch alone has an axis too.
    axes.set(xlabel="epoch", ylabel=label, xlim=(0.5, len(model.history) + 0.5))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.legend()
