"""read_images: the pixels that batch_score gives to the model, from Python."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import serving
from serving.batch.inputs import encoded_pictures
from serving.errors import InputError
from tests.serving.tiny_bundle import random_images, resized_to

SHAPE = (4, 3, 1)


@pytest.fixture
def folder(tmp_path):
    """Two pictures of the model's size, and a larger one."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for row, size in enumerate([(4, 3), (4, 3), (9, 8)]):
        Image.fromarray(random_images(1, size, row)[0]).save(folder / f"{row}.png")
    return folder


def test_images_are_read_and_resized(folder, seal):
    bundle = seal(image_shape=SHAPE, preprocessing=resized_to(SHAPE))
    images = serving.read_images([folder], bundle, resize=True)
    assert (images.dtype, images.shape) == (np.uint8, (3, *SHAPE))
    np.testing.assert_array_equal(images[:2, ..., 0], [random_images(1, (4, 3), row)[0] for row in range(2)])
    expected = Image.open(folder / "2.png").resize((3, 4), Image.Resampling.BILINEAR, reducing_gap=1.0)
    np.testing.assert_array_equal(images[2, ..., 0], np.asarray(expected))
    np.testing.assert_array_equal(serving.read_images([str(folder / "1.png")], bundle), images[1:2])


def test_other_sizes_are_refused_as_by_the_command(folder, seal):
    able, unable = (seal(image_shape=SHAPE, preprocessing=given) for given in (resized_to(SHAPE), {"resize": None}))
    with pytest.raises(InputError, match=r"2\.png is 8×9 pixels, .*: add --resize, which resizes it"):
        serving.read_images([folder], able)
    with pytest.raises(InputError, match=r"2\.png is 8×9 pixels, .*: resize it to fit"):
        serving.read_images([folder], unable)
    with pytest.raises(InputError, match="its training images were not resized"):
        serving.read_images([folder], unable, resize=True)


def test_file_that_changes_meanwhile_is_refused(folder, seal, monkeypatch):
    decode = encoded_pictures.decode_all

    def changing(*given):
        (folder / "0.png").write_bytes(b"another")
        return decode(*given)

    monkeypatch.setattr(encoded_pictures, "decode_all", changing)
    with pytest.raises(InputError, match=r"0\.png was changed while it was read"):
        serving.read_images([folder / "0.png"], seal(image_shape=SHAPE))
