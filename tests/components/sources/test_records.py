"""records: the images of sets of every format and size, against Pillow and TFDS itself."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest
from PIL import Image

import components.sources.records
from components import ingest
from components.beam import BeamOptions
from components.sources.records import DECODE_ROWS, Encoding
from serving.errors import InputError

ROWS = DECODE_ROWS + 17


def encoded(pixels, kind):
    content = io.BytesIO()
    picture = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    picture.save(content, kind, quality=90)
    return content.getvalue()


def smooth(random, height, width, channels):
    """Pixels that resemble a photograph: compressed by JPEG they stay what they were, nearly."""
    coarse = random.integers(0, 256, (4, 5, channels), dtype=np.uint8)
    bands = [Image.fromarray(coarse[..., c]).resize((width, height), Image.Resampling.BICUBIC) for c in range(channels)]
    return np.stack([np.asarray(band) for band in bands], axis=-1)


@pytest.fixture
def prepared(tmp_path):
    """Pictures as they are, shape -> the set `album` of them, prepared."""

    def prepare(pictures, shape):
        import tensorflow_datasets as tfds

        class Album(tfds.core.GeneratorBasedBuilder, skip_registration=True):
            """Pictures."""

            VERSION = tfds.core.Version("2.0.0")
            name = "album"

            def _info(self):
                features = {
                    "image": tfds.features.Image(shape=shape),
                    "label": tfds.features.ClassLabel(num_classes=3),
                }
                return tfds.core.DatasetInfo(
                    builder=self,
                    features=tfds.features.FeaturesDict(features),
                    supervised_keys=("image", "label"),
                    disable_shuffling=True,
                )

            def _split_generators(self, dl_manager):
                half = len(pictures) // 2
                return {"train": self._generate_examples(0, half), "test": self._generate_examples(half, len(pictures))}

            def _generate_examples(self, start, stop):
                for row in range(start, stop):
                    yield row, {"image": io.BytesIO(pictures[row]), "label": row % 3}

        tfds.disable_progress_bar()
        builder = Album(data_dir=tmp_path / "tfds")
        builder.download_and_prepare()
        return builder

    return prepare


@pytest.fixture
def ingested(tmp_path, rows_of):
    def run(**params):
        out = tmp_path / "out"
        out.mkdir()
        read = ingest.Params(dataset="album", data_dir=tmp_path / "tfds", **params)
        examples = ingest.run(read, BeamOptions(), out)
        assert sorted(file.name for file in out.iterdir() if not file.name.endswith(".npy")) == ["examples.json"]
        return np.concatenate([rows_of(examples, split)[0] for split in ("train", "test")])

    return run


@pytest.mark.parametrize(
    ("channels", "kinds"),
    [(1, ["png"]), (3, ["png"]), (1, ["jpeg"]), (3, ["jpeg"]), (1, ["png", "jpeg"]), (3, ["png", "jpeg", "bmp"])],
)
def test_images_are_what_pillow_decodes(prepared, ingested, channels, kinds):
    random = np.random.default_rng(4)
    originals = [smooth(random, 9, 14, channels) for _ in range(2 * ROWS)]
    pictures = [encoded(pixels, kinds[row % len(kinds)]) for row, pixels in enumerate(originals)]
    prepared(pictures, (9, 14, channels))
    images = ingested()
    expected = [np.asarray(Image.open(io.BytesIO(picture))).reshape(9, 14, channels) for picture in pictures]
    assert images.shape == (2 * ROWS, 9, 14, channels)
    assert np.array_equal(images, np.stack(expected))


def test_images_of_many_sizes_are_resized_as_pillow_does(prepared, ingested):
    random = np.random.default_rng(5)
    originals = [smooth(random, *random.integers(5, 40, 2), 3) for _ in range(20)]
    prepared([encoded(pixels, "png") for pixels in originals], (None, None, 3))
    images = ingested(resize=(10, 12))
    expected = [Image.fromarray(pixels).resize((12, 10), Image.Resampling.BILINEAR) for pixels in originals]
    difference = np.abs(images.astype(int) - np.stack([np.asarray(picture) for picture in expected]))
    assert difference.max() <= 1
    assert difference.mean() < 0.2


def test_images_of_one_size_are_resized_alike(prepared, ingested):
    random = np.random.default_rng(6)
    originals = [smooth(random, 9, 14, 1) for _ in range(20)]
    prepared([encoded(pixels, "png") for pixels in originals], (9, 14, 1))
    images = ingested(resize=(18, 7))
    expected = [Image.fromarray(pixels[..., 0]).resize((7, 18), Image.Resampling.BILINEAR) for pixels in originals]
    difference = np.abs(images[..., 0].astype(int) - np.stack([np.asarray(picture) for picture in expected]))
    assert difference.max() <= 1


def test_images_of_many_sizes_need_one_said(prepared, ingested):
    prepared([encoded(np.zeros((5, 6, 3), np.uint8), "png")] * 4, (None, None, 3))
    with pytest.raises(InputError, match=r"album has images of different sizes: give them one with --ingest\.resize"):
        ingested()


def test_picture_that_is_none_is_told_with_its_file(prepared, ingested):
    prepared([encoded(np.zeros((5, 6, 1), np.uint8), "png")[:60]] * 4, (5, 6, 1))
    with pytest.raises(InputError, match=r"train.tfrecord.* cannot be read \([^()]+\): delete the set's folder"):
        ingested()


def test_damaged_record_is_told_with_its_file(prepared, ingested):
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
    monkeypatch.setattr(components.sources.records, "DECODE_BYTES", 3 * 9 * 14)
    random = np.random.default_rng(7)
    originals = [smooth(random, 9, 14, 1) for _ in range(22)]
    prepared([encoded(pixels, "png") for pixels in originals], (9, 14, 1))
    images = ingested(resize=resize)
    assert len(images) == 22
    if resize is None:
        assert np.array_equal(images, np.stack(originals))


@pytest.mark.parametrize(
    ("shape", "rows"),
    [((28, 28, 1), 200), ((224, 224, 3), 55), ((2000, 2000, 3), 1), ((5000, 5000, 3), 1), ((None, None, 3), 10)],
)
def test_fewer_images_are_in_memory_where_they_are_large(shape, rows):
    assert Encoding("image", "label", shape, (8, 8)).rows_at_once == rows


MODULE = """
import numpy as np
import tensorflow_datasets as tfds


class {name}(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    VERSION = tfds.core.Version("{version}")

    def _info(self):
        features = tfds.features.FeaturesDict(
            {{"image": tfds.features.Image(shape=(4, 4, 1)), "label": tfds.features.ClassLabel(names=["off", "on"])}}
        )
        return self.dataset_info_from_configs(features=features, supervised_keys=("image", "label"))

    def _split_generators(self, dl_manager):
        return {{"train": self._generate_examples(40), "test": self._generate_examples(10)}}

    def _generate_examples(self, rows):
        for row in range(rows):
            yield row, {{"image": np.full((4, 4, 1), row, np.uint8), "label": row % 2}}
"""


@pytest.fixture
def user_module(tmp_path, monkeypatch):
    """Writes a module with a builder, as users do; it is forgotten afterwards."""
    package = tmp_path / "project" / "own_sets"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path / "project")

    def write(text, module="lamps"):
        for known in [name for name in sys.modules if name.startswith("own_sets")]:
            monkeypatch.delitem(sys.modules, known)
        (package / f"{module}.py").write_text(text)

    yield write
    for known in [name for name in sys.modules if name.startswith("own_sets")]:
        sys.modules.pop(known)


@pytest.mark.parametrize("dataset", ["own_sets.lamps", "own_sets.lamps.Lamps", "own_sets.lamps:1.0.0"])
def test_users_builder_is_found_by_its_module(user_module, tmp_path, dataset):
    user_module(MODULE.format(name="Lamps", version="1.0.0"))
    source = ingest.Params(dataset=dataset, data_dir=tmp_path / "tfds").source
    assert source.model == "lamps"
    assert source.fingerprint() is None
    source.prepare()
    assert list(source.fingerprint()) == ["lamps/1.0.0"]
    (tmp_path / "out").mkdir()
    examples = ingest.run(ingest.Params(dataset=dataset, data_dir=tmp_path / "tfds"), BeamOptions(), tmp_path / "out")
    assert (examples.dataset, examples.class_names) == ("lamps", ("off", "on"))
    assert (examples.rows("train"), examples.rows("test")) == (40, 10)


@pytest.mark.parametrize("dataset", ["own_sets.lamps/two", "own_sets.lamps"])
def test_users_builder_whose_configurations_have_the_versions_is_found(user_module, tmp_path, dataset):
    text = MODULE.format(name="Lamps", version="1.0.0")
    configs = ", ".join(
        f'tfds.core.BuilderConfig(name="{name}", version="{v}.0.0")' for name, v in (("two", 2), ("six", 6))
    )
    user_module(
        text.replace('VERSION = tfds.core.Version("1.0.0")', f"VERSION = None\n    BUILDER_CONFIGS = [{configs}]")
    )
    source = ingest.Params(dataset=dataset, data_dir=tmp_path / "tfds").source
    source.prepare()
    assert list(source.fingerprint()) == ["lamps/two/2.0.0"]


def test_another_version_of_a_users_builder_is_prepared_anew(user_module, tmp_path):
    user_module(MODULE.format(name="Lamps", version="1.0.0"))
    source = ingest.Params(dataset="own_sets.lamps", data_dir=tmp_path / "tfds").source
    source.prepare()
    before = source.fingerprint()
    user_module(MODULE.format(name="Lamps", version="1.1.0").replace("row, np.uint8", "row + 1, np.uint8"))
    assert source.fingerprint() is None
    source.prepare()
    assert source.fingerprint() != before


@pytest.mark.parametrize(
    ("dataset", "text", "words"),
    [
        ("own_sets.absent", "", "own_sets.absent names no single TFDS builder, but none"),
        ("nowhere.lamps", "", "nowhere.lamps cannot be imported"),
        ("own_sets.lamps", "raise RuntimeError('not today')", "cannot be imported (RuntimeError: not today)"),
        ("own_sets.lamps", "x = 1", "names no single TFDS builder, but none"),
        ("own_sets.lamps:9.9.9", MODULE.format(name="Lamps", version="1.0.0"), "there is no such data set"),
    ],
)
def test_module_without_a_builder_is_refused_in_a_sentence(user_module, tmp_path, dataset, text, words):
    user_module(text)
    with pytest.raises(InputError) as caught:
        ingest.Params(dataset=dataset, data_dir=tmp_path / "tfds").source.prepare()
    assert words in str(caught.value)
