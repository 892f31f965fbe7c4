"""Images of other sizes: resized as Pillow does, or refused with the advice that helps."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from serving.batch.images import find_images
from serving.batch.inputs import array_images
from serving.blocks import OtherSizes
from serving.errors import InputError
from tests.serving.tiny_bundle import random_images

GREY, COLOUR = (6, 5, 1), (6, 5, 3)


def resized(*paths, skip_bad=False):
    return find_images([str(path) for path in paths], skip_bad).with_other_sizes(OtherSizes.RESIZED)


def by_pillow(image, image_shape):
    """The expected pixels: uint8 (h, w, c)."""
    height, width, channels = image_shape
    if image.shape[:2] == (height, width):
        return image
    picture = Image.fromarray(image[..., 0] if channels == 1 else image)
    pixels = picture.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=1.0)
    return np.asarray(pixels).reshape(image_shape)


def save(folder, images):
    folder.mkdir()
    for row, image in enumerate(images):
        Image.fromarray(image[..., 0] if image.shape[2] == 1 else image).save(folder / f"{row:02}.png")


@pytest.mark.parametrize("image_shape", [GREY, COLOUR])
def test_pictures_of_mixed_sizes_are_resized(tmp_path, image_shape):
    sizes = [(6, 5), (5, 6), (40, 31), (2, 3), (1, 1), (12, 10), (6, 5), (7, 300)]
    images = [random_images(1, (*size, image_shape[2]), seed)[0] for seed, size in enumerate(sizes)]
    save(tmp_path / "mixed", images)
    source = resized(tmp_path / "mixed")
    assert source.fits(image_shape)
    source.require_fit(image_shape)
    block = source.read(0, len(sizes), image_shape)
    assert block.unreadable == []
    np.testing.assert_array_equal(block.images, [by_pillow(image, image_shape) for image in images])
    np.testing.assert_array_equal(source.read(3, 7, image_shape).images, block.images[3:7])


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize(("stored", "image_shape"), [((9, 8), GREY), ((30, 2, 1), GREY), ((13, 12, 3), COLOUR)])
def test_arrays_of_another_size_are_resized(tmp_path, monkeypatch, stored, image_shape, order):
    # Three images at once.
    monkeypatch.setattr(array_images, "RESIZE_BYTES", 3 * int(np.prod(stored)) + 1)
    images = random_images(8, stored)
    np.save(tmp_path / "images.npy", np.asarray(images, order=order))
    expected = [by_pillow(image.reshape(*stored[:2], -1), image_shape) for image in images]
    source = resized(tmp_path / "images.npy")
    source.require_fit(image_shape)
    np.testing.assert_array_equal(source.read(0, 8, image_shape).images, expected)
    np.testing.assert_array_equal(source.read(1, 6, image_shape).images, expected[1:6])


@pytest.mark.parametrize("stored", [(30,), (6, 5), GREY])
def test_images_of_the_models_size_are_not_changed(tmp_path, stored):
    images = random_images(4, stored)
    np.save(tmp_path / "images.npy", images)
    np.testing.assert_array_equal(resized(tmp_path / "images.npy").read(0, 4, GREY).images, images.reshape(4, *GREY))


def test_files_and_folders_are_resized_together(tmp_path):
    pictures, array = random_images(3, (9, 9, 1)), random_images(2, (4, 4, 1))
    save(tmp_path / "folder", pictures)
    np.save(tmp_path / "array.npy", array)
    source = resized(tmp_path / "folder", tmp_path / "array.npy")
    assert source.fits(GREY)
    expected = [by_pillow(image, GREY) for image in (*pictures, *array)]
    np.testing.assert_array_equal(source.read(0, 5, GREY).images, expected)


@pytest.mark.parametrize(("stored", "channels"), [((31,), 1), ((9, 8), 3), ((9, 8, 3), 1), ((9, 8, 1), 3)])
def test_arrays_that_cannot_be_resized_are_refused(tmp_path, stored, channels):
    np.save(tmp_path / "images.npy", random_images(4, stored))
    source = resized(tmp_path / "images.npy")
    assert not source.fits((6, 5, channels))
    for refused in (lambda: source.require_fit((6, 5, channels)), lambda: source.read(0, 1, (6, 5, channels))):
        with pytest.raises(InputError, match=rf"save them as \(n, height, width, {channels}\), which --resize can"):
            refused()


def test_pictures_are_refused_for_a_model_of_five_channels(tmp_path):
    save(tmp_path / "folder", random_images(1, (9, 9, 1)))
    source = resized(tmp_path / "folder")
    assert not source.fits((6, 5, 5))
    for refused in (lambda: source.require_fit((6, 5, 5)), lambda: source.read(0, 1, (6, 5, 5))):
        with pytest.raises(InputError, match="has 1 to 4 channels, the model takes 5"):
            refused()


def test_colours_are_refused_for_a_model_of_grey_images(tmp_path):
    save(tmp_path / "folder", random_images(1, (9, 9, 3)))
    with pytest.raises(InputError, match=r"00\.png has colours, the model takes grey"):
        resized(tmp_path / "folder").read(0, 1, GREY)


def test_skipped_pictures_are_listed_and_the_others_resized(tmp_path):
    images = random_images(3, (9, 9, 1))
    save(tmp_path / "folder", images)
    (tmp_path / "folder" / "01.png").write_bytes(b"damaged")
    source = resized(tmp_path / "folder", skip_bad=True)
    block = source.read(0, 3, GREY)
    assert [row for row, _ in block.unreadable] == [1]
    np.testing.assert_array_equal(block.images[[0, 2]], [by_pillow(image, GREY) for image in images[::2]])


@pytest.mark.parametrize(
    ("other_sizes", "advice"),
    [
        (
            OtherSizes.REFUSED,
            ": resize {} to fit, or train a model with --ingest.resize, which takes all sizes with --resize",
        ),
        (OtherSizes.RESIZABLE, ": add --resize, which resizes {} as the training images were"),
    ],
)
def test_refusal_advises_to_resize_only_if_the_model_allows_it(tmp_path, other_sizes, advice):
    save(tmp_path / "folder", random_images(1, (9, 8, 1)))
    np.save(tmp_path / "images.npy", random_images(2, (9, 8)))
    for name, noun in (("folder", "it"), ("images.npy", "them")):
        source = find_images([str(tmp_path / name)]).with_other_sizes(other_sizes)
        assert not source.fits(GREY)
        for refused in (lambda source=source: source.require_fit(GREY), lambda source=source: source.read(0, 1, GREY)):
            with pytest.raises(InputError) as caught:
                refused()
            assert str(caught.value).endswith(advice.format(noun))


def test_flattened_images_are_never_advised_to_be_resized(tmp_path):
    np.save(tmp_path / "images.npy", random_images(2, (31,)))
    source = find_images([str(tmp_path / "images.npy")]).with_other_sizes(OtherSizes.RESIZABLE)
    with pytest.raises(InputError, match="resize them to fit"):
        source.require_fit(GREY)
