"""batch_score --resize: images of other sizes are resized as the training images were, or refused."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from PIL import Image

from serving.batch import job as job_module
from serving.batch.output import Output
from serving.resize import METHOD
from tests.serving import tiny_bundle
from tests.serving.score_command import assert_refused, expected_labels, names
from tests.serving.tiny_bundle import random_images, resized_to

SHAPE = (4, 3, 1)
SIZES = [(4, 3), (9, 8), (3, 4), (30, 41)]


@pytest.fixture
def publish(registry, seal):
    """Promotes the model `tiny`; `preprocessing` is what its manifest says about resizing."""

    def run(preprocessing):
        return tiny_bundle.publish(registry, seal(image_shape=SHAPE, preprocessing=preprocessing))

    return run


@pytest.fixture
def promoted(publish):
    return publish(resized_to(SHAPE))


@pytest.fixture
def pictures(tmp_path):
    """Forty pictures of four sizes; the first one has the model's."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for row in range(40):
        image = random_images(1, SIZES[row % len(SIZES)], row)[0]
        Image.fromarray(image).save(folder / f"{row:02}.png")
    return folder


def resized(folder):
    """The pixels that the model should get: uint8 (n, h, w, 1)."""
    opened = [Image.open(file) for file in sorted(folder.iterdir())]
    whole = [picture.resize((3, 4), Image.Resampling.BILINEAR, reducing_gap=1.0) for picture in opened]
    return np.array([np.asarray(picture) for picture in whole])[..., None]


def read_labels(file):
    with file.open(newline="") as opened:
        return [int(row["label"]) for row in csv.DictReader(opened)]


def test_pictures_of_mixed_sizes_are_scored(score, promoted, pictures):
    code, out, _ = score("--resize", images=pictures)
    assert (code, out.startswith("40 images")) == (0, True)
    target = pictures.with_name("pictures.predictions.csv")
    assert read_labels(target) == expected_labels(promoted, resized(pictures)).tolist()
    assert json.loads(target.with_name(f"{target.name}.json").read_text())["resize"] == METHOD


def test_arrays_of_another_size_are_scored(score, promoted, folder):
    images = random_images(20, (9, 8))
    np.save(folder / "images.npy", images)
    assert score("--resize", "--out", folder / "labels.npy")[0] == 0
    pixels = [Image.fromarray(image).resize((3, 4), Image.Resampling.BILINEAR, reducing_gap=1.0) for image in images]
    expected = expected_labels(promoted, np.array([np.asarray(image) for image in pixels])[..., None])
    np.testing.assert_array_equal(np.load(folder / "labels.npy"), expected)


def test_images_of_the_models_size_are_scored_as_without_the_flag(score, folder):
    np.save(folder / "images.npy", random_images(20, SHAPE))
    assert score("--out", folder / "one.npy", "--probabilities")[0] == 0
    assert score("--resize", "--out", folder / "two.npy", "--probabilities")[0] == 0
    assert (folder / "one.npy").read_bytes() == (folder / "two.npy").read_bytes()
    assert [json.loads((folder / f"{name}.npy.json").read_text())["resize"] for name in ("one", "two")] == [
        None,
        METHOD,
    ]


def test_refusal_without_the_flag_names_it(score, pictures, folder):
    expected = "is 8×9 pixels, the model takes 3×4 (width × height): add --resize, which resizes it as the training"
    assert_refused(score(images=pictures / "01.png"), 2, expected)
    # The first picture fits.
    assert_refused(score(images=pictures), 2, f"{pictures}/01.png {expected}")
    np.save(folder / "images.npy", random_images(20, (9, 8)))
    assert_refused(score(), 2, "add --resize, which resizes them as the training images were")
    assert names(folder) == ["images.npy"]


def test_skipped_pictures_of_other_sizes_name_the_flag(score, pictures):
    code, out, _ = score("--skip-bad", images=pictures)
    assert code == 0
    assert "skipped 30 of 40 images" in out
    assert "add --resize" in out


@pytest.mark.parametrize(
    ("preprocessing", "message"),
    [
        ({"resize": None}, "its training images were not resized: give images of 3×4 pixels"),
        ({}, "an older release made it, and recorded no method"),
        (resized_to(SHAPE, "nearest"), f"by the method 'nearest', this release knows {METHOD!r}"),
    ],
    ids=["not resized", "older", "other method"],
)
def test_model_that_cannot_resize_is_refused_only_with_the_flag(score, publish, pictures, preprocessing, message):
    publish(preprocessing)
    assert_refused(score("--resize", images=pictures), 2, message)
    assert_refused(score("--resize", images=pictures / "00.png"), 2, "batch_score: --resize: images cannot be resized")
    assert_refused(score(images=pictures), 2, "the model takes 3×4 (width × height): resize it to fit")
    assert score(images=pictures / "00.png")[0] == 0


@pytest.mark.parametrize("flags", [("--resize",), ()])
def test_run_is_resumed_only_with_the_same_setting(score, pictures, monkeypatch, flags):
    for file in [*pictures.iterdir()][::2]:
        Image.fromarray(random_images(1, SHAPE)[0, ..., 0]).save(file)
    (target,) = [pictures.with_name("pictures.predictions.csv")]
    skip = ("--skip-bad", "--batch-size", 5)
    assert score(*skip, *flags, images=pictures)[0] == 0
    whole = target.read_bytes()
    monkeypatch.setattr(job_module, "MAX_BLOCK_ROWS", 10)
    write = Output.write

    def stop_after_two(output, content, stop, counts):
        write(output, content, stop, counts)
        if stop == 20:
            raise KeyboardInterrupt

    for resumed, starts_again in ((flags, False), (() if flags else ("--resize",), True)):
        monkeypatch.setattr(Output, "write", stop_after_two)
        assert score(*skip, *flags, images=pictures)[0] == 130
        monkeypatch.setattr(Output, "write", write)
        code, out, stderr = score(*skip, *resumed, "--resume", images=pictures)
        assert code == 0
        assert ("20 of them by an earlier run" in out) != starts_again
        assert ("not those of the stopped run: resize" in stderr) == starts_again
        assert (target.read_bytes() == whole) != starts_again
