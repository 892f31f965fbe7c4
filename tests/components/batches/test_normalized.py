"""normalized: the preprocessing equals numpy's, in training and in the exported graph."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from components.batches.normalized import normalize, normalized_batches
from components.export.saved_model import serving_module
from components.transform import transform


@pytest.fixture(scope="module", params=["unit", "standardize"])
def fixed(request, made, tmp_path_factory):
    """The transform of the small data set, with each normalisation."""
    params = transform.Params(request.param)
    return transform.run(made.statistics, made.anomalies, params, tmp_path_factory.mktemp(request.param))


def batches_of(fixed, examples):
    pairs = list(normalized_batches(fixed, examples, "test", 64).as_numpy_iterator())
    return [images for images, _ in pairs], [labels for _, labels in pairs]


def test_batches_are_normalised_as_numpy_does(fixed, made, rows_of):
    images, labels = rows_of(made.examples, "test")
    batches, batch_labels = batches_of(fixed, made.examples)
    expected = images * np.array(fixed.scale) + np.array(fixed.offset)
    assert [len(batch) for batch in batches] == [64, 64, 64, 8]
    assert batches[0].dtype == np.float32
    assert np.concatenate(batches) == pytest.approx(expected, abs=1e-6)
    assert np.concatenate(batch_labels).dtype == np.int64
    assert np.array_equal(np.concatenate(batch_labels), labels)


def test_graph_and_training_normalise_to_equal_bits(fixed, made, rows_of):
    import tensorflow as tf

    images = rows_of(made.examples, "test")[0]
    signature = [tf.TensorSpec((None, 8, 8, 1), tf.uint8)]
    in_graph = tf.function(partial(normalize, fixed), input_signature=signature)(tf.constant(images)).numpy()
    assert np.array_equal(in_graph, np.concatenate(batches_of(fixed, made.examples)[0]))


def test_served_probabilities_equal_those_of_keras_on_the_training_pipeline(fixed, made, rows_of):
    import tensorflow as tf

    images = rows_of(made.examples, "test")[0]
    module = serving_module(made.model, fixed, made.examples.image_shape)
    served = module.serve(tf.constant(images))["probabilities"].numpy()
    network = made.model.keras_model()
    expected = np.concatenate([network(batch).numpy() for batch in batches_of(fixed, made.examples)[0]])
    assert np.array_equal(served.argmax(axis=1), expected.argmax(axis=1))
    assert served == pytest.approx(expected, abs=1e-6)
