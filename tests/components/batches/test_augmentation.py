"""augmentation: scipy's affine transform on batches of training rows, drawn by seed, epoch and batch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from components.artifacts.preprocessing import NONE, Augmentation
from components.batches.augmentation import augment_batches, draw_motions, move
from components.batches.chunks import training_chunks
from components.batches.normalized import normalize
from components.batches.stream import Order, Permutation, stream_batches
from components.transform import transform

LIMITS = Augmentation(shift=0.2, rotation=30.0, zoom=0.25)


def moved_by_scipy(image, motion):
    """One image (h, w, c), channel by channel, in double precision."""
    right, down, angle, factor = (float(value) for value in motion)
    height, width, channels = image.shape
    # Rows are numbered downwards, so this rotation is counter-clockwise on the screen.
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) / factor
    centre = np.array([height - 1, width - 1]) / 2
    offset = centre - turn @ (centre + np.array([down * height, right * width]))
    planes = [
        ndimage.affine_transform(image[..., c].astype(np.float64), turn, offset, order=1, mode="grid-constant", cval=0)
        for c in range(channels)
    ]
    return np.stack(planes, axis=-1)


SHAPES = st.tuples(st.integers(1, 4), st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 3]))


@settings(max_examples=40)
@given(SHAPES, st.integers(0, 1 << 32))
def test_images_are_moved_as_scipy_moves_them(shape, seed):
    random = np.random.default_rng(seed)
    images = random.integers(0, 256, shape).astype(np.uint8)
    motions = random.uniform([-1, -1, -np.pi, 0.3], [1, 1, np.pi, 1.9], (len(images), 4)).astype(np.float32)
    got = move(images, motions).numpy()
    assert got.dtype == np.float32
    expected = np.stack([moved_by_scipy(image, motion) for image, motion in zip(images, motions, strict=True)])
    assert got == pytest.approx(expected, abs=0.02)


@given(SHAPES, st.integers(0, 1 << 32))
def test_limits_of_0_change_no_pixel(shape, seed):
    images = np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)
    motions = draw_motions(len(images), NONE, np.array([seed, 3]))
    assert np.array_equal(move(images, motions).numpy(), images.astype(np.float32))


def test_motions_have_the_documented_directions():
    image = np.random.default_rng(1).integers(1, 256, (1, 6, 4, 2)).astype(np.uint8)
    moved = move(image, np.array([[0.25, 0.5, 0, 1]], np.float32)).numpy()
    assert np.array_equal(moved[0, 3:, 1:], image[0, :3, :3])
    assert not moved[0, :3].any()
    assert not moved[0, :, :1].any()
    square = image[:, :4]
    assert move(square, np.array([[0, 0, np.pi / 2, 1]], np.float32)).numpy()[0] == pytest.approx(
        np.rot90(square[0]), abs=0.01
    )
    # An enlarged image fills the frame; a reduced one has a black border.
    assert move(np.ones_like(image), np.array([[0, 0, 0, 2]], np.float32)).numpy() == pytest.approx(1)
    assert move(np.ones_like(image), np.array([[0, 0, 0, 0.4]], np.float32)).numpy()[0, 0] == pytest.approx(0)


def test_motions_fill_their_limits_evenly_and_independently():
    motions = draw_motions(20_000, LIMITS, np.array([7, 0])).numpy()
    reach = np.array([0.2, 0.2, np.radians(30), 0.25])
    uniform = (motions - [0, 0, 0, 1]) / reach
    assert np.abs(uniform).max(axis=0) == pytest.approx(np.ones(4), abs=0.001)
    assert (np.abs(uniform) <= 1 + 1e-6).all()
    # The mean of 20,000 uniform values has a standard deviation of 0.0041, a correlation 0.0071.
    assert uniform.mean(axis=0) == pytest.approx(np.zeros(4), abs=0.02)
    assert uniform.std(axis=0) == pytest.approx(np.full(4, 3**-0.5), abs=0.01)
    assert np.corrcoef(uniform.T) == pytest.approx(np.eye(4), abs=0.04)


def passes(examples, *epochs, seed=7, limits=LIMITS):
    """Images of the training split, augmented, for each epoch of one dataset."""
    import tensorflow as tf

    epoch = tf.Variable(0, dtype=tf.int64, trainable=False)
    permutation = Permutation(seed, epoch)
    batches = stream_batches(examples, "train", 64, Order(None, permutation))
    augmented = augment_batches(batches, limits, permutation)
    assert augmented.cardinality() == 10
    read = []
    for number in epochs:
        epoch.assign(number)
        read.append(np.concatenate([images for images, _ in augmented.as_numpy_iterator()]))
    return read


def test_an_epoch_does_not_depend_on_earlier_epochs(made):
    first, second, third = passes(made.examples, 0, 1, 2)
    assert np.array_equal(passes(made.examples, 2)[0], third)
    assert np.array_equal(passes(made.examples, 1)[0], second)
    assert first.shape == (600, 8, 8, 1)
    assert not np.array_equal(passes(made.examples, 0, seed=8)[0], first)


def test_epochs_and_batches_are_moved_differently(write_examples, tmp_path):
    # The images are equal, so images that differ were moved differently.
    images = np.zeros((600, 8, 8, 1), np.uint8)
    images[:, 3:5, 2:6] = 200
    rows = {"train": (images, np.zeros(600, np.int64)), "test": (images[:4], np.zeros(4, np.int64))}
    first, second = passes(write_examples(tmp_path, rows, ("a",)), 0, 1)
    assert len(np.unique(np.concatenate([first, second]), axis=0)) == 1200


def images_of(made, augmentation):
    import tensorflow as tf

    permutation = Permutation(7, tf.Variable(0, dtype=tf.int64, trainable=False))
    chunks = training_chunks(made.examples, np.arange(480), permutation, 60, augmentation)
    return np.concatenate([images[:rows] for images, _, rows in chunks.as_numpy_iterator()])


@pytest.mark.parametrize("normalization", ["unit", "standardize"])
def test_training_rows_are_augmented_with_black_outside(made, normalization):
    plain = made_transform(made, normalization, NONE)
    before, after = (normalize(plain, images_of(made, limits)).numpy() for limits in (NONE, LIMITS))
    assert before.shape == after.shape
    assert not np.array_equal(before, after)
    # Interpolated pixels lie between black and white.
    black, white = normalize(plain, np.array([0, 255], np.uint8).reshape(2, 1, 1, 1)).numpy().ravel()
    assert after.min() == pytest.approx(black, abs=1e-6)
    assert after.max() <= white + 1e-5


def made_transform(made, normalization, limits):
    """The transform of the small data set with another normalisation and augmentation."""
    scale, offset = transform.normalization(normalization, made.statistics.splits["train"])
    return replace(made.transform, normalization=normalization, scale=scale, offset=offset, augmentation=limits)
