"""analyze: the counts equal numpy's, however the rows are divided."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from components.analyze import analyze
from components.analyze.counting import add_counts, count
from components.beam import BeamOptions

CLASSES = 3


@st.composite
def labelled_images(draw):
    """uint8 (n, h, w, c) with 1 or 3 channels, and int64 labels; some are outside of the classes."""
    rows, height, width = (draw(st.integers(1, most)) for most in (12, 4, 4))
    images = draw(arrays(np.uint8, (rows, height, width, draw(st.sampled_from([1, 3])))))
    return images, draw(arrays(np.int64, rows, elements=st.integers(-1, CLASSES)))


def assert_equals_numpy(counted, images, labels):
    assert counted.rows == len(images)
    assert counted.mean() == pytest.approx(images.mean(axis=(0, 1, 2), dtype=np.float64), rel=1e-12)
    assert counted.deviation() == pytest.approx(images.std(axis=(0, 1, 2), dtype=np.float64), rel=1e-9, abs=1e-9)
    assert (counted.minimum(), counted.maximum()) == (images.min(), images.max())
    assert counted.label_counts == Counter(labels.tolist())
    for channel, histogram in enumerate(counted.pixel_counts):
        assert np.array_equal(histogram, np.histogram(images[..., channel], bins=np.arange(257))[0])


def assert_sums_equal_numpys(sums, images, labels, classes):
    assert len(sums) == classes
    for label, of_class in enumerate(sums):
        assert np.array_equal(of_class, images[labels == label].sum(axis=0, dtype=np.int64))


@given(labelled_images())
def test_counts_equal_numpys(drawn):
    images, labels = drawn
    counted = count(images, labels, CLASSES)
    assert_equals_numpy(counted.statistics, images, labels)
    assert_sums_equal_numpys(counted.class_sums, images, labels, CLASSES)


@given(labelled_images(), st.data())
def test_parts_in_any_order_sum_to_the_whole(drawn, data):
    images, labels = drawn
    cuts = sorted(data.draw(st.sets(st.integers(1, len(images)))) | {len(images)})
    parts = [slice(start, stop) for start, stop in zip([0, *cuts], cuts, strict=False)]
    counted = [count(images[part], labels[part], CLASSES, part.start) for part in data.draw(st.permutations(parts))]
    added, whole = add_counts(counted), count(images, labels, CLASSES)
    assert added.statistics == whole.statistics
    assert np.array_equal(added.class_sums, whole.class_sums)


@given(arrays(np.float64, 6, elements=st.sampled_from([-1.0, 0.0, 2.0, 7.0, 1.5, np.nan, np.inf, -np.inf])))
def test_float_labels_are_counted_if_they_are_whole_numbers(labels):
    counted = count(np.zeros((6, 1, 1, 1), np.uint8), labels, CLASSES)
    assert counted.statistics.label_counts == Counter(int(label) for label in labels.tolist() if label in (-1, 0, 2, 7))
    assert not counted.class_sums.any()


def test_types_of_all_parts_are_recorded():
    narrow = count(np.zeros((1, 2, 2, 1), np.uint8), np.zeros(1, np.int32), 1)
    other = narrow._replace(statistics=replace(narrow.statistics, image_types=frozenset(["float32"])))
    usual = count(np.zeros((3, 2, 2, 1), np.uint8), np.zeros(3, np.int64), 1)
    both = add_counts([usual, other, usual]).statistics
    assert both.image_types == {"uint8 (2, 2, 1)", "float32"}
    assert both.label_types == {"int64", "int32"}


def test_sums_are_exact_beyond_the_precision_of_float32():
    # float32 cannot hold 70,001 · 255: it is odd and above 2^24.
    images = np.full((70_001, 2, 1, 1), 255, np.uint8)
    counted = count(images, np.zeros(70_001, np.int64), 2)
    assert counted.class_sums[:, :, 0, 0].tolist() == [[70_001 * 255] * 2, [0, 0]]


def test_deviation_of_almost_constant_pixels_is_exact():
    images = np.full((1000, 28, 28, 1), 255, np.uint8)
    images[0, 0, 0, 0] = 254
    expected = images.std(dtype=np.float64)
    assert count(images, np.zeros(1000, np.int64), 1).statistics.deviation()[0] == pytest.approx(expected, rel=1e-9)


def test_invalid_rows_are_named_by_their_row_in_the_split(write_examples, tmp_path):
    random = np.random.default_rng(1)
    images, labels = random.integers(0, 256, (9000, 2, 2, 1), np.uint8), np.zeros(9000, np.int64)
    images[[3, 2500, 8999]] = 7
    labels[[10, 4095, 4096, 8000]] = 5
    (tmp_path / "out").mkdir()
    examples = write_examples(
        tmp_path, {"train": (images, labels), "test": (images, labels)}, ("any",), block_rows=4500
    )
    for counted in analyze.run(examples, BeamOptions(), tmp_path / "out").splits.values():
        assert counted.invalid["label-range"].named == ((10, 5), (4095, 5), (4096, 5), (8000, 5))
        constant = dict(counted.invalid["constant"].named)
        assert {row: constant[row] for row in (3, 2500, 8999)} == dict.fromkeys((3, 2500, 8999), 7)
        assert list(constant) == [row for row, image in enumerate(images) if len(np.unique(image)) == 1]


def test_statistics_of_the_small_data_set_equal_numpys(made, rows_of):
    assert sorted(made.statistics.splits) == ["test", "train"]
    assert made.statistics.class_names == made.examples.class_names
    for split, counted in made.statistics.splits.items():
        images, labels = rows_of(made.examples, split)
        assert_equals_numpy(counted, images, labels)
        means = made.statistics.class_means(split)
        sums = means * np.bincount(labels, minlength=4)[:, None, None, None]
        assert_sums_equal_numpys(sums.round().astype(np.int64), images, labels, 4)
        assert counted.image_types == {"uint8 (8, 8, 1)"}
        assert counted.label_types == {"int64"}
