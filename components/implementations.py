"""Images -> probabilities, as each of the three implementations of one model gives them: Keras, SavedModel, ONNX."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

import serving.bundle
from components.agreement import Probabilities
from components.artifacts.bundle import Bundle
from components.artifacts.model import Model
from components.artifacts.transform import Transform
from serving.scorer import Precision, Scorer

# Images uint8 (n, h, w, c), 0 to 255, and the size of a batch -> float32 (n, classes), each row summing to 1.
Implementation = Callable[[npt.NDArray[np.uint8], int], Probabilities]


def keras_implementation(model: Model, transform: Transform) -> Implementation:
    """The trained model, with the preprocessing before it."""
    network = model.keras_model()

    def answer(images: npt.NDArray[np.uint8], batch_size: int) -> Probabilities:
        inputs = transform.normalize(images).numpy()
        scores: Probabilities = network.predict(inputs, batch_size=batch_size, verbose=0)
        answers: Probabilities = scores / scores.sum(axis=1, keepdims=True)
        return answers

    return answer


def saved_model_implementation(bundle: Bundle) -> Implementation:
    """The bundle's SavedModel, by its signature."""
    import tensorflow as tf

    loaded = tf.saved_model.load(str(bundle.path))

    def answer(images: npt.NDArray[np.uint8], batch_size: int) -> Probabilities:
        starts = range(0, len(images), batch_size)
        batches = (tf.constant(images[start : start + batch_size]) for start in starts)
        # Taken from `loaded` here: it keeps the variables alive, and its signature does not.
        serve = loaded.signatures["serving_default"]
        return np.concatenate([serve(images=batch)["probabilities"].numpy() for batch in batches])

    return answer


def onnx_implementation(opened: serving.bundle.Bundle, precision: Precision = "float32") -> Implementation:
    """One of the bundle's ONNX models, as the batch scorer runs it."""

    def answer(images: npt.NDArray[np.uint8], batch_size: int) -> Probabilities:
        return Scorer(opened, None, batch_size, precision).score(images).probabilities

    return answer
