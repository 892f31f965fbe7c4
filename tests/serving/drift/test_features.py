"""features: the sampled rows and their counts, compared with numpy's histograms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from serving.drift.features import Bins, DriftFeatures, pixel_counts, pixel_counts_of_each, stratified_sample


@given(st.integers(0, 10**7), st.integers(1, 3000))
@settings(deadline=None)
def test_sample_has_one_row_of_each_stratum(rows, at_most):
    sample = stratified_sample(rows, at_most)
    taken = min(rows, at_most)
    assert sample.dtype == np.int64
    assert len(sample) == taken
    parts = np.arange(taken + 1) * rows // max(taken, 1)
    assert np.all(sample >= parts[:-1])
    assert np.all(sample < parts[1:])


@given(st.integers(0, 200))
def test_all_of_a_few_rows_are_sampled(rows):
    assert stratified_sample(rows, 200).tolist() == list(range(rows))


@pytest.mark.parametrize(("rows", "at_most"), [(8192, 128), (4096, 128), (7_000_000, 10_000), (10_000, 2000)])
def test_classes_in_turns_are_sampled_as_often_as_by_chance(rows, at_most):
    for classes in range(2, 65):
        met = np.bincount(stratified_sample(rows, at_most) % classes, minlength=classes)
        there = (rows - 1 - np.arange(classes)) // classes + 1
        assert chisquare(met, there * at_most / rows).pvalue > 1e-4, classes


@pytest.mark.parametrize("shape", [(6, 5, 4, 1), (3, 2, 7, 3), (0, 4, 4, 1), (1, 1, 1, 2), (9, 201, 203, 3)])
def test_features_are_numpys_histograms_and_sums(shape):
    images = np.random.default_rng(3).integers(0, 256, shape).astype(np.uint8)
    labels, confidences = np.arange(shape[0]), np.linspace(0, 1, shape[0], dtype=np.float32)
    features = DriftFeatures.of(images, labels, confidences)
    expected = [np.histogram(images[..., channel], 16, (0, 256))[0] for channel in range(shape[-1])]
    assert pixel_counts(images).tolist() == np.concatenate(expected).tolist()
    assert features.intensity.tolist() == [int(image.astype(int).sum()) for image in images]
    assert features.classes is labels
    assert features.confidence is confidences


@pytest.mark.parametrize("shape", [(28, 28, 1), (5, 3, 3), (700, 500, 1)])
def test_pixels_of_each_image_are_those_of_the_image_alone(shape):
    images = np.random.default_rng(3).integers(0, 256, (9, *shape), np.uint8)
    expected = [pixel_counts(image[None]) for image in images]
    np.testing.assert_array_equal(pixel_counts_of_each(images), expected)
    assert pixel_counts_of_each(images[:0]).shape == (0, len(expected[0]))


def features_with(intensity, classes, confidence):
    columns = (np.array(intensity), np.array(classes), np.array(confidence, np.float32))
    return DriftFeatures(*columns)


def test_values_are_sorted_into_bins_as_numpy_digitizes_them():
    random = np.random.default_rng(4)
    intensity, confidence = random.integers(0, 50, 200), random.random(200).astype(np.float32)
    cuts = (10, 20, 21), (0.25, 0.5, 0.75)
    found = Bins(4, *cuts).one_hot(features_with(intensity, random.integers(0, 4, 200), confidence))
    assert found["intensity"].argmax(axis=1).tolist() == np.digitize(intensity, cuts[0]).tolist()
    assert found["confidence"].argmax(axis=1).tolist() == np.digitize(confidence, cuts[1]).tolist()
    for feature, bins in (("intensity", 4), ("classes", 4), ("confidence", 4)):
        assert found[feature].shape == (200, bins)
        assert found[feature].sum(axis=1).tolist() == [1] * 200


def test_confidence_of_nan_is_in_the_lowest_bin():
    found = Bins(2, (), (0.5,)).one_hot(features_with([1, 1], [0, 1], [np.nan, 0.9]))
    assert found["confidence"].tolist() == [[1, 0], [0, 1]]
    assert found["intensity"].tolist() == [[1], [1]]
