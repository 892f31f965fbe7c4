"""training_curves: the lines show the history that Keras recorded."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.report.figures.training_curves import learning_curves

pytestmark = pytest.mark.usefixtures("_drawing")

HISTORY = (
    {"loss": 0.9, "accuracy": 0.5, "val_loss": 1.0, "val_accuracy": 0.4},
    {"loss": 0.6, "accuracy": 0.7, "val_loss": 0.8, "val_accuracy": 0.6},
)


def lines(axes):
    return {line.get_label(): (list(line.get_xdata()), list(line.get_ydata())) for line in axes.get_lines()}


def test_training_and_validation_are_four_lines(by_hand):
    loss, accuracy = learning_curves(replace(by_hand().model, history=HISTORY)).axes
    assert lines(loss) == {"training": ([1, 2], [0.9, 0.6]), "validation": ([1, 2], [1.0, 0.8])}
    assert lines(accuracy) == {"training": ([1, 2], [0.5, 0.7]), "validation": ([1, 2], [0.4, 0.6])}
    assert (loss.get_ylabel(), accuracy.get_ylabel()) == ("loss (nats)", "accuracy (fraction)")
    assert loss.get_xlabel() == accuracy.get_xlabel() == "epoch"


def test_without_a_validation_share_there_is_training_alone(by_hand, texts):
    figure = learning_curves(by_hand(epochs=4).model)
    for axes in figure.axes:
        assert list(lines(axes)) == ["training"]
        assert [text.get_text() for text in axes.get_legend().get_texts()] == ["training"]
    assert "by-hand: 1,234 parameters, 4 epochs" in texts(figure)


@pytest.mark.parametrize("epochs", [1, 2, 5, 60, 1000])
def test_ticks_are_integers_and_every_epoch_is_visible(by_hand, epochs):
    figure = learning_curves(by_hand(epochs=epochs).model)
    figure.draw_without_rendering()
    for axes in figure.axes:
        low, high = axes.get_xlim()
        assert low < 1 <= epochs < high
        ticks = [tick for tick in axes.get_xticks() if low <= tick <= high]
        assert ticks
        assert all(tick == round(tick) for tick in ticks)


def test_one_epoch_is_a_marker(by_hand):
    figure = learning_curves(by_hand(epochs=1).model)
    assert all(axes.get_lines()[0].get_marker() == "o" for axes in figure.axes)
