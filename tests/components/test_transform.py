"""transform: one preprocessing, as numpy does it, and the same in training and in the exported graph."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from components import transform
from components.analyze import count
from components.augmentation import Augmentation
from components.saved_model import serving_module
from components.transform import normalization
from serving.errors import InputError


@pytest.fixture(scope="module", params=["unit", "standardize"])
def fixed(request, made, tmp_path_factory):
    """The transform of the small set, with either normalisation."""
    params = transform.Params(request.param)
    return transform.run(made.statistics, made.anomalies, params, tmp_path_factory.mktemp(request.param))


def batches_of(fixed, examples, batch_size=64, **kwargs):
    pairs = list(fixed.dataset(examples, "test", batch_size, **{"one_hot": False, **kwargs}).as_numpy_iterator())
    return [images for images, _ in pairs], [labels for _, labels in pairs]


def test_unit_divides_by_255(made):
    assert made.transform.scale == pytest.approx((1 / 255,), rel=1e-15)
    assert made.transform.offset == (0.0,)
    assert made.transform.class_names == made.examples.class_names


def test_standardized_training_pixels_have_mean_0_and_deviation_1(made, rows_of, tmp_path):
    standardized = transform.run(made.statistics, made.anomalies, transform.Params("standardize"), tmp_path)
    images = rows_of(made.examples, "train")[0]
    assert standardized.scale == pytest.approx((1 / images.std(dtype=np.float64),), rel=1e-9)
    normalized = standardized.normalize(images).numpy().astype(np.float64)
    assert normalized.mean() == pytest.approx(0, abs=1e-6)
    assert normalized.std() == pytest.approx(1, abs=1e-6)


@given(arrays(np.uint8, st.tuples(st.integers(1, 8), st.just(3), st.just(2), st.sampled_from([1, 3]))))
def test_standardize_centres_and_stretches_each_channel_by_itself(images):
    scale, offset = normalization("standardize", count(images, np.zeros(len(images), np.int64), 1))
    normalized = images * np.array(scale) + np.array(offset)
    varies = images.std(axis=(0, 1, 2)) > 0
    assert normalized.mean(axis=(0, 1, 2)) == pytest.approx(np.zeros(len(scale)), abs=1e-9)
    assert normalized.std(axis=(0, 1, 2)) == pytest.approx(varies.astype(float), abs=1e-9)


def test_constant_channel_is_centred_and_not_stretched():
    images = np.random.default_rng(1).integers(0, 256, (5, 4, 4, 3)).astype(np.uint8)
    images[..., 1] = 200
    scale, offset = normalization("standardize", count(images, np.zeros(5, np.int64), 1))
    assert scale[1] * 200 + offset[1] == pytest.approx(0, abs=1e-12)
    assert scale[1] == pytest.approx(1 / 255)
    assert np.isfinite([*scale, *offset]).all()


def test_batches_are_what_numpy_normalizes(fixed, made, rows_of):
    images, labels = rows_of(made.examples, "test")
    batches, batch_labels = batches_of(fixed, made.examples)
    expected = images * np.array(fixed.scale) + np.array(fixed.offset)
    assert [len(batch) for batch in batches] == [64, 64, 64, 8]
    assert batches[0].dtype == np.float32
    assert np.concatenate(batches) == pytest.approx(expected, abs=1e-6)
    assert np.concatenate(batch_labels).dtype == np.int64
    assert np.array_equal(np.concatenate(batch_labels), labels)


def test_one_hot_labels_are_rows_of_the_identity(made):
    _, labels = batches_of(made.transform, made.examples, one_hot=True)
    one_hot = np.concatenate(labels)
    assert one_hot.dtype == np.float32
    assert np.array_equal(one_hot, np.eye(4, dtype=np.float32)[made.examples.all_labels("test")])


def test_graph_and_training_normalize_to_the_last_bit(fixed, made, rows_of):
    import tensorflow as tf

    images = rows_of(made.examples, "test")[0]
    signature = [tf.TensorSpec((None, 8, 8, 1), tf.uint8)]
    in_graph = tf.function(fixed.normalize, input_signature=signature)(tf.constant(images)).numpy()
    assert np.array_equal(in_graph, np.concatenate(batches_of(fixed, made.examples)[0]))


def test_served_probabilities_are_those_of_keras_on_the_training_pipeline(fixed, made, rows_of):
    import tensorflow as tf

    images = rows_of(made.examples, "test")[0]
    module = serving_module(made.model, fixed, made.examples.image_shape)
    served = module.serve(tf.constant(images))["probabilities"].numpy()
    network = made.model.keras_model()
    expected = np.concatenate([network(batch).numpy() for batch in batches_of(fixed, made.examples)[0]])
    assert np.array_equal(served.argmax(axis=1), expected.argmax(axis=1))
    assert served == pytest.approx(expected, abs=1e-6)


def test_augmentation_is_kept_with_its_limits(made, tmp_path):
    params = transform.Params(augment=True, shift=0.2, rotation=30.0, zoom=0.0)
    kept = transform.run(made.statistics, made.anomalies, params, tmp_path)
    assert type(kept).load(tmp_path) == kept
    assert kept.augmentation == Augmentation(shift=0.2, rotation=30.0, zoom=0.0)
    assert "shifted by up to 20%, turned 30°, zoomed 0%" in kept.summary()
    assert "shifted" not in made.transform.summary()


def test_limits_of_no_augmentation_change_nothing(made, tmp_path, contents):
    params = transform.Params(augment=False, shift=0.5, rotation=90.0, zoom=0.5)
    transform.run(made.statistics, made.anomalies, params, tmp_path)
    assert contents(tmp_path) == contents(made.transform.path)


@pytest.mark.parametrize(
    ("given", "flag"),
    [
        ({"shift": 1.0}, "--transform.shift 1.0: give a fraction"),
        ({"shift": -0.1}, "--transform.shift -0.1: give a fraction"),
        ({"zoom": 1.0}, "--transform.zoom 1.0: give a fraction"),
        ({"zoom": float("nan")}, "--transform.zoom nan: give a fraction"),
        ({"rotation": -1.0}, "--transform.rotation -1.0: give 0 to 180 degrees"),
        ({"rotation": 180.5}, "--transform.rotation 180.5: give 0 to 180 degrees"),
    ],
)
def test_limits_that_no_image_survives_are_refused_by_their_flag(given, flag):
    with pytest.raises(InputError) as caught:
        transform.Params(**given)
    assert str(caught.value).startswith(flag)


def test_manifest_says_what_the_graph_does(fixed):
    said = fixed.described()
    assert said == {"normalization": fixed.normalization, "scale": fixed.scale, "offset": fixed.offset}
