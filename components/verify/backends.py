"""Images -> probabilities from each backend of one model: Keras, SavedModel, ONNX."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from components.artifacts.bundle import Bundle, under_a_plain_name
from components.artifacts.model import Model
from components.artifacts.preprocessing import Transform
from components.batches.normalized import normalize
from components.verify.parity import Probabilities
from serving.bundle.bundle import Bundle as CheckedBundle
from serving.scoring.scorer import Precision, Scorer

# Images, uint8 (n, h, w, c), 0 to 255, and the batch size -> probabilities, float32 (n, classes); each row sums to 1.
Backend = Callable[[npt.NDArray[np.uint8], int], Probabilities]


def keras_backend(model: Model, transform: Transform) -> Backend:
    """The trained model, after the preprocessing."""
    import tensorflow as tf

    network = model.keras_model()
    # `network.predict` takes a quarter of a second to begin.
    call = tf.function(network, input_signature=[tf.TensorSpec(network.input_shape, tf.float32)])

    def predict(images: npt.NDArray[np.uint8], batch_size: int) -> Probabilities:
        inputs = normalize(transform, images)
        scores: Probabilities = np.concatenate(
            [call(inputs[start : start + batch_size]).numpy() for start in range(0, len(images), batch_size)]
        )
        probabilities: Probabilities = scores / scores.sum(axis=1, keepdims=True)
        return probabilities

    return predict


def saved_model_backend(bundle: Bundle) -> Backend:
    """The bundle's SavedModel, through its serving signature."""
    import tensorflow as tf

    with under_a_plain_name(bundle.path) as folder:
        loaded = tf.saved_model.load(str(folder))

    def predict(images: npt.NDArray[np.uint8], batch_size: int) -> Probabilities:
        starts = range(0, len(images), batch_size)
        batches = (tf.constant(images[start : start + batch_size]) for start in starts)
        # `loaded` keeps the variables alive, its signature does not: refer to `loaded` in this closure.
        serve = loaded.signatures["serving_default"]
        return np.concatenate([serve(images=batch)["probabilities"].numpy() for batch in batches])

    return predict


def onnx_backend(opened: CheckedBundle, precision: Precision = "float32") -> Backend:
    """One of the bundle's ONNX models, in the batch scorer."""

    def predict(images: npt.NDArray[np.uint8], batch_size: int) -> Probabilities:
        return Scorer(opened, None, batch_size, precision).score(images).probabilities

    return predict
