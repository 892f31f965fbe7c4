"""The same files have the same pixels in ingest with --ingest.resize and in the scorer with --resize."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from serving.batch.images import find_images
from serving.blocks import OtherSizes
from tests.components.ingest.arrays import array_files
from tests.components.ingest.folders import picture_folders

# Smaller, equal, larger, much larger, and of other proportions.
SIZES = [(5, 4), (16, 14), (20, 18), (64, 60), (130, 97), (9, 40), (33, 32)]


@pytest.fixture(params=[1, 3], ids=["grey", "colour"])
def root(request, tmp_path):
    """Pictures of mixed sizes, PNG and JPEG, in two classes."""
    root = tmp_path / "mixed"
    for row, size in enumerate(SIZES * 4):
        noise = np.random.default_rng(row).integers(0, 256, (*size, request.param), np.uint8)
        # Every second one is smooth, as photographs are.
        image = noise if row % 2 else np.sort(noise, axis=0)
        picture_folders.save(root / "ab"[row % 2] / f"{row:02}.{('png', 'jpg')[row // 7 % 2]}", image)
    if request.param == 3:
        Image.fromarray(image[..., 0]).save(root / "a" / "grey.png")
    return root


def scored(paths, image_shape):
    """The pixels that the model gets with --resize."""
    source = find_images([str(path) for path in paths]).with_other_sizes(OtherSizes.RESIZED)
    return source.read(0, source.rows, image_shape).images


def test_pictures_have_the_same_pixels(root, tmp_path):
    planned = picture_folders.plan(root, tmp_path, resize=(16, 14))
    for split in ("train", "test"):
        images, _, files = picture_folders.read_rows(planned, split)
        np.testing.assert_array_equal(images, scored([root / file for file in files], planned.image_shape))


@pytest.mark.parametrize("stored", [(40, 33), (16, 14, 1), (9, 8, 3)])
def test_arrays_have_the_same_pixels(tmp_path, stored):
    images = np.random.default_rng(0).integers(0, 256, (40, *stored), np.uint8)
    path = array_files.saved(tmp_path, x=images, y=np.arange(40) % 4)
    planned = array_files.plan(path, tmp_path, resize=(16, 14))
    ingested = [array_files.read_rows(planned, split)[0] for split in ("train", "test")]
    np.save(tmp_path / "images.npy", images)
    expected = scored([tmp_path / "images.npy"], planned.image_shape)
    np.testing.assert_array_equal(np.concatenate(ingested), expected)
