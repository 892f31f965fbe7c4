"""Sets of pictures in TFRecord files, prepared by TensorFlow Datasets itself."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest

from components.beam import BeamOptions
from components.ingest import ingest
from components.run_context import RunContext


@pytest.fixture
def prepared(tmp_path):
    """Prepares the set `album` from encoded pictures and the shape that it declares."""

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
def ingest_album(tmp_path):
    """Ingests the set `album`, with some parameters, into a new folder -> Examples."""

    def run(context=None, beam=None, **params):
        out = tmp_path / f"out {len(list(tmp_path.iterdir()))}"
        out.mkdir()
        context = replace(context or RunContext(), data_dir=tmp_path / "tfds")
        return ingest.run(ingest.Params(dataset="album", **params), context, beam or BeamOptions(), out)

    return run


@pytest.fixture
def ingested(ingest_album, rows_of):
    """The images of both splits."""

    def run(**params):
        examples = ingest_album(**params)
        files = sorted(file.name for file in examples.path.iterdir() if not file.name.endswith(".npy"))
        assert files == ["examples.json"]
        return np.concatenate([rows_of(examples, split)[0] for split in ("train", "test")])

    return run
