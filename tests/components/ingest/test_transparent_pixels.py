"""The same files have the same pixels in ingest with --ingest.background and in the scorer, which knows the model."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import serving
from components.artifacts.examples import Examples
from serving.batch.decoding.background import METHOD
from serving.errors import InputError
from tests.components.ingest.folders.picture_folders import refusal, run, save
from tests.serving.tiny_bundle import seal

KINDS = {"png": {}, "webp": {"lossless": True}, "tif": {}, "gif": {}}


@pytest.fixture(params=[1, 3], ids=["grey", "colour"])
def root(request, tmp_path):
    """Pictures in several formats and sizes, half of them with opacity."""
    root = tmp_path / "mixed"
    for row in range(40):
        size = [(8, 7), (8, 7), (20, 30)][row % 3]
        noise = np.random.default_rng(row).integers(0, 256, (*size, request.param), np.uint8)
        channels = [np.repeat(noise, 3 // request.param, axis=2)] if request.param == 3 else [noise]
        if row % 2:
            channels.append(np.random.default_rng(row).integers(0, 256, (*size, 1), np.uint8))
        suffix = list(KINDS)[row // 4 % (4 if request.param == 3 else 1)]
        save(root / "ab"[row // 2 % 2] / f"{row:02}.{suffix}", np.dstack(channels), **KINDS[suffix])
    save(root / "a" / "photograph.jpg", shape=(16, 14, request.param))
    return root


@pytest.mark.parametrize("colour", ["white", "#203040", "#808080"])
def test_ingest_and_scorer_lay_pictures_alike(root, tmp_path, rows_of, colour):
    grey = not any(file.suffix == ".gif" for file in root.rglob("*"))
    if grey and colour == "#203040":
        message = refusal(root, tmp_path, resize=(8, 7), background=colour)
        assert message.startswith("--ingest.background #203040 has colours, but the pictures are grey: give white")
        return
    examples = run(root, tmp_path / "out", resize=(8, 7), background=colour)
    code = {"white": "#ffffff"}.get(colour, colour)
    assert Examples.load(examples.path).background == code
    assert f", transparent ones on {code}" in examples.summary()
    described = {
        "resize": {"method": examples.resize, "height": 8, "width": 7},
        "background": {"method": METHOD, "colour": code},
    }
    bundle = seal(tmp_path / "bundle", image_shape=examples.image_shape, preprocessing=described)
    for split in ("train", "test"):
        names = examples.names_at(split, np.arange(examples.rows(split)))
        scored = serving.read_images([root / name for name in names], bundle, resize=True)
        np.testing.assert_array_equal(rows_of(examples, split)[0], scored)


def has_transparent_pixels(file):
    with Image.open(file) as picture:
        return bool((np.asarray(picture.convert("RGBA"))[..., 3] < 255).any())


def test_transparent_pictures_are_counted_with_the_option_without_a_background(root, tmp_path):
    count = sum(has_transparent_pixels(file) for file in root.rglob("*.*"))
    message = refusal(root, tmp_path, resize=(8, 7))
    assert f": {count} of 41 images cannot be used: {count} transparent (a/0" in message
    assert "has transparent pixels; " in message
    assert (
        f"; and {count - 3} more: save it on a background, or lay it on one, also in scoring, with "
        "--ingest.background white)" in message
    )


@pytest.mark.parametrize(
    "recorded", [{}, {"background": None}, {"background": {"method": "dither", "colour": "#ffffff"}}]
)
def test_models_without_a_known_background_refuse_transparent_pictures(tmp_path, recorded):
    Image.fromarray(np.full((8, 7, 2), 9, np.uint8), "LA").save(tmp_path / "x.png")
    np.save(tmp_path / "x.npy", np.zeros((2, 8, 7), np.uint8))
    bundle = seal(tmp_path / "bundle", image_shape=(8, 7, 1), preprocessing=recorded)
    expected = "by the method 'dither', this release knows" if recorded.get("background") else "has transparent pixels"
    with pytest.raises(InputError, match=expected):
        serving.read_images([tmp_path / "x.png"], bundle)
    assert serving.read_images([tmp_path / "x.npy"], bundle).shape == (2, 8, 7, 1)


def test_background_is_for_pictures(tmp_path):
    from tests.components.ingest.arrays import array_files

    path = array_files.saved(tmp_path, x=np.zeros((9, 4, 4), np.uint8), y=np.arange(9) % 3)
    message = array_files.refusal(path, tmp_path, background="white")
    assert message.startswith("--ingest.background white is for pictures, ")
