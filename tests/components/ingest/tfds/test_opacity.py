"""record_block_reader: records with opacity are read, resized and laid on a background as the scorer does it."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from PIL import Image

import serving
from components.beam import BeamOptions
from serving.batch.decoding.background import METHOD
from serving.errors import InputError
from tests.serving.batch.inputs.picture_files import jpeg
from tests.serving.tiny_bundle import seal

RANDOM = np.random.default_rng(12)
OPACITY = RANDOM.integers(0, 256, (9, 14, 4), np.uint8)


def scored(pictures, folder, bundle, resize=False):
    """The pixels that the scorer gives to the model for the same encoded pictures as files."""
    for row, content in enumerate(pictures):
        (folder / f"{row:03}").write_bytes(content)
    return serving.read_images([folder / f"{row:03}" for row in range(len(pictures))], bundle, resize)


def mixed(kinds, sizes):
    """Encoded pictures with opacity, and opaque ones."""
    drawn = [RANDOM.integers(0, 256, (*size, 4 - row % 2), np.uint8) for row, size in enumerate(sizes)]
    options = {"WEBP": {"lossless": True}}
    return [
        jpeg(one, kind=kinds[row % len(kinds)], **options.get(kinds[row % len(kinds)], {}))
        for row, one in enumerate(drawn)
    ]


@pytest.mark.parametrize("kinds", [["PNG"], ["PNG", "WEBP", "WEBP", "PNG"], ["TIFF", "PNG"]])
@pytest.mark.parametrize("size", [None, (10, 12)])
def test_records_with_opacity_are_read_and_resized_as_by_the_scorer(prepared, ingested, tmp_path, kinds, size):
    sizes = [(9, 14)] * 12 if size is None else [(9, 14), (20, 30), (5, 40)] * 4
    pictures = mixed(kinds, sizes)
    prepared(pictures, (9, 14, 4) if size is None else (None, None, 4))
    images = ingested(resize=size)
    resize = {"resize": {"method": serving.resize.METHOD, "height": 10, "width": 12}} if size else {}
    bundle = seal(tmp_path / "bundle", image_shape=images.shape[1:], preprocessing=resize)
    np.testing.assert_array_equal(images, scored(pictures, tmp_path, bundle, resize=size is not None))
    assert images.shape[1:] == (*(size or (9, 14)), 4)
    assert (images[..., 3] < 255).any()


def test_sets_of_one_size_with_opacity_are_resized(prepared, ingested):
    prepared([jpeg(OPACITY, kind="PNG")] * 4, (9, 14, 4))
    images = ingested(resize=(5, 6))
    for channel in range(4):
        one = Image.fromarray(OPACITY[..., channel]).resize((6, 5), Image.Resampling.BILINEAR, reducing_gap=1.0)
        np.testing.assert_array_equal(images[2, ..., channel], np.asarray(one))


@pytest.mark.parametrize("declared", [3, 4])
@pytest.mark.parametrize("kinds", [["PNG"], ["PNG", "WEBP", "PNG"]])
@pytest.mark.parametrize("size", [None, (10, 12)])
def test_records_are_laid_on_the_background_as_by_the_scorer(
    prepared, ingest_album, rows_of, tmp_path, declared, kinds, size
):
    pictures = mixed(kinds, [(9, 14)] * 12)
    prepared(pictures, (9, 14, declared))
    examples = ingest_album(background="#102030", resize=size)
    images = np.concatenate([rows_of(examples, split)[0] for split in ("train", "test")])
    assert examples.image_shape == images.shape[1:] == (*(size or (9, 14)), 3)
    described = {
        "background": {"method": METHOD, "colour": examples.background},
        "resize": {"method": serving.resize.METHOD, "height": 10, "width": 12},
    }
    bundle = seal(tmp_path / "bundle", image_shape=examples.image_shape, preprocessing=described)
    np.testing.assert_array_equal(images, scored(pictures, tmp_path, bundle, resize=size is not None))


def test_plain_records_of_four_channels_are_laid_on_the_background(prepared, ingested):
    prepared([jpeg(OPACITY, kind="PNG")] * 4, (9, 14, 4))
    expected = Image.new("RGB", (14, 9), (16, 32, 48))
    expected.paste(Image.fromarray(OPACITY[..., :3]), mask=Image.fromarray(OPACITY[..., 3]))
    np.testing.assert_array_equal(ingested(background="#102030"), [np.asarray(expected)] * 4)


def test_coloured_background_is_refused_for_grey_records(prepared, ingested):
    prepared([jpeg(OPACITY[..., 0], kind="PNG")] * 4, (9, 14, 1))
    with pytest.raises(InputError, match=r"--ingest\.background #102030 has colours, but the pictures are grey"):
        ingested(background="#102030")


@pytest.mark.parametrize("beam", [BeamOptions(), BeamOptions(("--runner=FnApiRunner",))], ids=["here", "Beam"])
def test_bad_records_are_left_out_up_to_the_bound(prepared, ingest_album, rows_of, beam):
    good = [jpeg(np.full((5, 6), row, np.uint8), kind="PNG") for row in range(20)]
    pictures = list(good)
    for row in (0, 3, 4, 12):
        pictures[row] = good[row][:-25]
    prepared(pictures, (5, 6, 1))
    examples = ingest_album(beam=beam, skip_bad=4, block_rows=4)
    images = np.concatenate([rows_of(examples, split)[0] for split in ("train", "test")])
    labels = np.concatenate([rows_of(examples, split)[1] for split in ("train", "test")])
    kept = [row for row in range(20) if row not in (0, 3, 4, 12)]
    assert images[:, 0, 0, 0].tolist() == kept
    assert labels.tolist() == [row % 3 for row in kept]
    with (examples.path / "skipped.csv").open(newline="") as lines:
        rows = [(row["file"].split(".")[0], int(row["record"]), row["kind"]) for row in csv.DictReader(lines)]
    assert rows == [
        ("album-test", 2, "damaged"),
        ("album-train", 0, "damaged"),
        ("album-train", 3, "damaged"),
        ("album-train", 4, "damaged"),
    ]
    assert [block.rows for block in examples.blocks["train"]] == [2, 3, 2]
    with pytest.raises(InputError, match=r"^--dataset album: 4 of 20 images cannot be used: 4 damaged"):
        ingest_album(beam=beam, skip_bad=3)
