"""transform: the numbers of the normalisation, against numpy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from components.analyze.counting import count
from components.artifacts.preprocessing import Augmentation
from components.batches.normalized import normalize
from components.transform import transform
from components.transform.transform import normalization
from serving.errors import InputError


@pytest.fixture(scope="module", params=["unit", "standardize"])
def fixed(request, made, tmp_path_factory):
    """The transform of the small data set, with each normalisation."""
    params = transform.Params(request.param)
    return transform.run(made.statistics, made.anomalies, params, tmp_path_factory.mktemp(request.param))


def test_unit_divides_by_255(made):
    assert made.transform.scale == pytest.approx((1 / 255,), rel=1e-15)
    assert made.transform.offset == (0.0,)
    assert made.transform.class_names == made.examples.class_names


def test_standardized_training_pixels_have_mean_0_and_deviation_1(made, rows_of, tmp_path):
    standardized = transform.run(made.statistics, made.anomalies, transform.Params("standardize"), tmp_path)
    images = rows_of(made.examples, "train")[0]
    assert standardized.scale == pytest.approx((1 / images.std(dtype=np.float64),), rel=1e-9)
    normalized = normalize(standardized, images).numpy().astype(np.float64)
    assert normalized.mean() == pytest.approx(0, abs=1e-6)
    assert normalized.std() == pytest.approx(1, abs=1e-6)


@given(arrays(np.uint8, st.tuples(st.integers(1, 8), st.just(3), st.just(2), st.sampled_from([1, 3]))))
def test_standardize_centres_and_scales_each_channel(images):
    scale, offset = normalization("standardize", count(images, np.zeros(len(images), np.int64), 1).statistics)
    normalized = images * np.array(scale) + np.array(offset)
    varies = images.std(axis=(0, 1, 2)) > 0
    assert normalized.mean(axis=(0, 1, 2)) == pytest.approx(np.zeros(len(scale)), abs=1e-9)
    assert normalized.std(axis=(0, 1, 2)) == pytest.approx(varies.astype(float), abs=1e-9)


def test_a_constant_channel_is_only_centred():
    images = np.random.default_rng(1).integers(0, 256, (5, 4, 4, 3)).astype(np.uint8)
    images[..., 1] = 200
    scale, offset = normalization("standardize", count(images, np.zeros(5, np.int64), 1).statistics)
    assert scale[1] * 200 + offset[1] == pytest.approx(0, abs=1e-12)
    assert scale[1] == pytest.approx(1 / 255)
    assert np.isfinite([*scale, *offset]).all()


def test_the_transform_has_the_limits_of_the_augmentation(made, tmp_path):
    params = transform.Params(augment=True, shift=0.2, rotation=30.0, zoom=0.0)
    kept = transform.run(made.statistics, made.anomalies, params, tmp_path)
    assert type(kept).load(tmp_path) == kept
    assert kept.augmentation == Augmentation(shift=0.2, rotation=30.0, zoom=0.0)
    assert "shifted by up to 20%, turned 30°, zoomed 0%" in kept.summary()
    assert "shifted" not in made.transform.summary()


def test_limits_without_augmentation_change_nothing(made, tmp_path, contents):
    params = transform.Params(augment=False, shift=0.5, rotation=90.0, zoom=0.5)
    transform.run(made.statistics, made.anomalies, params, tmp_path)
    assert contents(tmp_path) == contents(made.transform.path)


@pytest.mark.parametrize(
    ("given", "flag"),
    [
        ({"shift": 1.0}, "--transform.shift 1.0: give 0 or more, below 1"),
        ({"shift": -0.1}, "--transform.shift -0.1: give 0 or more, below 1"),
        ({"zoom": 1.0}, "--transform.zoom 1.0: give 0 or more, below 1"),
        ({"zoom": float("nan")}, "--transform.zoom nan: give 0 or more, below 1"),
        ({"rotation": -1.0}, "--transform.rotation -1.0: give 0 to 180"),
        ({"rotation": 180.5}, "--transform.rotation 180.5: give 0 to 180"),
    ],
)
def test_invalid_limits_are_refused_by_their_flag(given, flag):
    with pytest.raises(InputError) as caught:
        transform.Params(**given)
    assert str(caught.value).startswith(flag)


def test_the_manifest_describes_the_normalisation(fixed):
    assert fixed.described() == {"normalization": fixed.normalization, "scale": fixed.scale, "offset": fixed.offset}
