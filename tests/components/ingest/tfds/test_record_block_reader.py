"""record_block_reader: images of every format and size are those of Pillow."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

import components.ingest.tfds.record_encoding
from components.ingest.tfds.record_encoding import DECODE_ROWS
from serving.batch.decoding.picture import decode
from serving.errors import InputError

ROWS = DECODE_ROWS + 17


def encoded(pixels, kind):
    content = io.BytesIO()
    picture = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    picture.save(content, kind, quality=90)
    return content.getvalue()


def resized(picture, size):
    return np.asarray(picture.resize(size, Image.Resampling.BILINEAR, reducing_gap=1.0))


def smooth(random, height, width, channels):
    """Smooth pixels as in a photograph, which JPEG changes little."""
    coarse = random.integers(0, 256, (4, 5, channels), dtype=np.uint8)
    bands = [Image.fromarray(coarse[..., c]).resize((width, height), Image.Resampling.BICUBIC) for c in range(channels)]
    return np.stack([np.asarray(band) for band in bands], axis=-1)


@pytest.mark.parametrize(
    ("channels", "kinds"),
    [(1, ["png"]), (3, ["png"]), (1, ["jpeg"]), (3, ["jpeg"]), (1, ["png", "jpeg"]), (3, ["png", "jpeg", "bmp"])],
)
def test_images_equal_those_of_pillow(prepared, ingested, channels, kinds):
    random = np.random.default_rng(4)
    originals = [smooth(random, 9, 14, channels) for _ in range(2 * ROWS)]
    pictures = [encoded(pixels, kinds[row % len(kinds)]) for row, pixels in enumerate(originals)]
    prepared(pictures, (9, 14, channels))
    images = ingested()
    expected = [np.asarray(Image.open(io.BytesIO(picture))).reshape(9, 14, channels) for picture in pictures]
    assert images.shape == (2 * ROWS, 9, 14, channels)
    assert np.array_equal(images, np.stack(expected))


def test_images_of_many_sizes_are_resized_as_by_pillow(prepared, ingested):
    random = np.random.default_rng(5)
    originals = [smooth(random, *random.integers(5, 40, 2), 3) for _ in range(20)]
    prepared([encoded(pixels, "png") for pixels in originals], (None, None, 3))
    images = ingested(resize=(10, 12))
    expected = [resized(Image.fromarray(pixels), (12, 10)) for pixels in originals]
    assert np.array_equal(images, np.stack(expected))


def test_images_of_one_size_are_resized_as_by_pillow(prepared, ingested):
    random = np.random.default_rng(6)
    originals = [smooth(random, 9, 14, 1) for _ in range(20)]
    prepared([encoded(pixels, "png") for pixels in originals], (9, 14, 1))
    images = ingested(resize=(18, 7))
    expected = [resized(Image.fromarray(pixels[..., 0]), (7, 18)) for pixels in originals]
    assert np.array_equal(images[..., 0], np.stack(expected))


def test_resized_images_equal_those_of_the_scorer(prepared, ingested):
    random = np.random.default_rng(8)
    kinds = ["jpeg", "png", "jpeg", "bmp"]
    originals = [smooth(random, *random.integers(20, 90, 2), 3) for _ in range(12)]
    pictures = [encoded(pixels, kinds[row % 4]) for row, pixels in enumerate(originals)]
    prepared(pictures, (None, None, 3))
    images = ingested(resize=(10, 12))
    for row, picture in enumerate(pictures):
        assert np.array_equal(images[row], decode(picture, (10, 12, 3), resizing=True))


def written(image, kind, **options):
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


COLOURS = np.random.default_rng(9).integers(0, 256, (9, 14, 3), np.uint8)
TRANSPARENT = Image.fromarray(np.dstack([COLOURS, np.full((9, 14), 9, np.uint8)]))


@pytest.mark.parametrize("resize", [None, (10, 12)])
@pytest.mark.parametrize(
    ("picture", "channels", "message"),
    [
        (written(TRANSPARENT, "PNG"), 3, "has transparent pixels"),
        (written(Image.fromarray(COLOURS), "PNG", transparency=tuple(COLOURS[2, 3].tolist())), 3, "has transparent"),
        (
            written(Image.fromarray(COLOURS[..., 0].astype(np.uint16) * 257), "PNG"),
            1,
            "has 16 bits per channel, the model",
        ),
        (written(Image.fromarray(COLOURS), "JPEG"), 1, "has colours, the model takes grey"),
        (written(Image.fromarray(COLOURS), "PNG"), 1, "has colours, the model takes grey"),
        (written(Image.fromarray(COLOURS).convert("CMYK"), "JPEG"), 3, "is CMYK, the model takes RGB or grey"),
    ],
)
def test_records_that_would_lose_something_are_refused_as_in_folders(
    prepared, ingested, picture, channels, message, resize
):
    plain = encoded(COLOURS[..., :channels], "png")
    prepared([plain, plain, picture, plain, picture, plain, plain, plain], (9, 14, channels))
    with pytest.raises(InputError, match=r"^--dataset album: 2 of 8 images cannot be used: 2 [a-z]") as caught:
        ingested(resize=resize)
    for split, record in (("test", 0), ("train", 2)):
        assert f"album-{split}.tfrecord-00000-of-00001 record {record} {message}" in str(caught.value)


@pytest.mark.parametrize("resize", [None, (14, 9)])
def test_records_are_upright_as_in_folders(prepared, ingested, resize):
    exif = Image.Exif()
    exif[0x0112] = 3
    picture = written(Image.fromarray(COLOURS), "JPEG", exif=exif)
    prepared([picture] * 4, (9, 14, 3))
    expected = decode(picture, (9, 14, 3) if resize is None else (14, 9, 3), resizing=resize is not None)
    assert np.array_equal(ingested(resize=resize), np.stack([expected] * 4))


def test_records_with_opacity_are_read_as_declared(prepared, ingested):
    # The resolution is a chunk between the header and the pixels.
    prepared([written(TRANSPARENT, "PNG"), *[written(TRANSPARENT, "PNG", dpi=(72, 72))] * 3], (9, 14, 4))
    assert np.array_equal(ingested()[1], np.asarray(TRANSPARENT))


def test_images_of_many_sizes_need_the_resize_option(prepared, ingested):
    prepared([encoded(np.zeros((5, 6, 3), np.uint8), "png")] * 4, (None, None, 3))
    with pytest.raises(InputError, match=r"album has images of different sizes: give one size with --ingest\.resize"):
        ingested()


def test_damaged_image_is_reported_with_its_file(prepared, ingested):
    prepared([encoded(np.zeros((5, 6, 1), np.uint8), "png")[:60]] * 4, (5, 6, 1))
    with pytest.raises(InputError, match=r"4 of 4 .* record 1 is a damaged PNG picture \(it is incomplete\)"):
        ingested()


def test_damaged_record_is_reported_with_its_file(prepared, ingested):
    builder = prepared([encoded(np.zeros((5, 6, 1), np.uint8), "png")] * 4, (5, 6, 1))
    shard = builder.info.splits["train"].filepaths[0]
    content = bytearray(shard.read_bytes())
    content[40] ^= 1
    shard.write_bytes(content)
    with pytest.raises(
        InputError,
        match=r"train.tfrecord.* cannot be read \(corrupted record at \d+\): delete the set's folder and prepare",
    ):
        ingested()


@pytest.mark.parametrize("resize", [None, (8, 6)])
def test_large_images_are_decoded_few_at_a_time(prepared, ingested, resize, monkeypatch):
    monkeypatch.setattr(components.ingest.tfds.record_encoding, "DECODE_BYTES", 3 * 9 * 14)
    random = np.random.default_rng(7)
    originals = [smooth(random, 9, 14, 1) for _ in range(22)]
    prepared([encoded(pixels, "png") for pixels in originals], (9, 14, 1))
    images = ingested(resize=resize)
    assert len(images) == 22
    if resize is None:
        assert np.array_equal(images, np.stack(originals))
