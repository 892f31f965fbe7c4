"""Model + Examples + Transform -> Predictions: what the trained model says of every test image."""

from __future__ import annotations

from pathlib import Path

from components.artifacts.evaluation import Predictions
from components.artifacts.examples import Examples
from components.artifacts.model import Model
from components.artifacts.preprocessing import Transform
from serving.errors import BeamlineError


def run(model: Model, examples: Examples, transform: Transform, out: Path) -> Predictions:
    """Scores the test set with Keras.

    Raises:
        BeamlineError: the model returned NaN or infinity.
    """
    import numpy as np

    from components.batches.normalized import keras_probabilities

    probabilities = keras_probabilities(model, examples, transform)
    wrong = np.flatnonzero(~np.isfinite(probabilities).all(axis=1))
    if len(wrong):
        raise BeamlineError(
            f"the model returned NaN for {len(wrong):,} of {len(probabilities):,} test images (first: row {wrong[0]}): "
            "the training diverged, give a smaller --train.learning-rate"
        )
    predictions = Predictions(path=out, weights_sha256=model.weights_sha256(), test_sha256=examples.sha256("test"))
    return predictions.write_probabilities(probabilities).save()
