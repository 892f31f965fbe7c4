"""selection: images of other sizes are resized as the training images were, from Python."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from PIL import Image

from serving import Scorer
from serving.errors import InputError
from tests.serving.tiny_bundle import random_images, resized_to

GREY, COLOUR = (4, 3, 1), (4, 3, 3)


def scorer_of(seal, image_shape):
    return Scorer(seal(image_shape=image_shape, preprocessing=resized_to(image_shape)))


@pytest.mark.parametrize("image_shape", [GREY, COLOUR])
def test_images_of_any_sizes_are_resized_and_scored(seal, image_shape):
    scorer = scorer_of(seal, image_shape)
    images = [random_images(1, (*size, image_shape[2]))[0] for size in ((4, 3), (9, 8), (2, 50))]
    resized = scorer.resized(images)
    assert (resized.dtype, resized.shape) == (np.uint8, (3, *image_shape))
    np.testing.assert_array_equal(resized[0], images[0])
    for image, pixels in zip(images[1:], resized[1:], strict=True):
        picture = Image.fromarray(image.squeeze())
        expected = picture.resize((3, 4), Image.Resampling.BILINEAR, reducing_gap=1.0)
        np.testing.assert_array_equal(pixels, np.asarray(expected).reshape(image_shape))
    assert scorer.score(resized).probabilities.shape == (3, 4)


def test_grey_images_may_have_no_channel(seal):
    scorer, images = scorer_of(seal, GREY), random_images(5, (9, 8))
    np.testing.assert_array_equal(scorer.resized(images), scorer.resized(images[..., None]))
    assert scorer.resized([]).shape == (0, *GREY)


@pytest.mark.parametrize(
    ("image", "shown"),
    [
        (np.zeros((9, 8)), r"float64 \(9, 8\)"),
        (np.zeros((9, 8, 3), np.uint8), r"uint8 \(9, 8, 3\)"),
        (np.zeros(12, np.uint8), r"uint8 \(12,\)"),
        (np.zeros((0, 8, 1), np.uint8), r"uint8 \(0, 8, 1\)"),
    ],
)
def test_other_types_and_channels_are_refused(seal, image, shown):
    with pytest.raises(InputError, match=rf"image 1 is {shown}, the model takes uint8 \(height, width, 1\), 0 to 255"):
        scorer_of(seal, GREY).resized([np.zeros((9, 8), np.uint8), image])


def test_model_of_images_that_were_not_resized_is_refused(seal):
    scorer = Scorer(seal(image_shape=GREY, preprocessing={"resize": None}))
    with pytest.raises(InputError, match="its training images were not resized"):
        scorer.resized(random_images(2, (9, 8)))


def test_pillow_is_needed(seal, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    with pytest.raises(InputError, match="images of other sizes need Pillow, which is not installed: pip install"):
        scorer_of(seal, GREY).resized(random_images(2, (9, 8)))
