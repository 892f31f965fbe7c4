"""Folders of pictures for tests, and how they are read."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from PIL import Image

from components.beam import BeamOptions
from components.ingest import ingest
from components.ingest.folders.folder_source import FolderSource
from components.ingest.read_options import ReadOptions
from components.run_context import RunContext
from serving.errors import InputError

RANDOM = np.random.default_rng(5)
SHAPE = (4, 6, 1)


def save(file, image=None, shape=SHAPE, **options):
    """Writes a picture, of random pixels by default, and returns the pixels."""
    image = RANDOM.integers(0, 256, shape, np.uint8) if image is None else image
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image[..., 0] if image.shape[2] == 1 else image).save(file, **options)
    return image


def plan(root, tmp_path, **changes):
    return FolderSource(root).plan(ReadOptions(**changes), tmp_path)


def read_rows(planned, split):
    readers = [reader for reader in planned.readers if reader.split == split]
    assert [reader.index for reader in readers] == list(range(len(readers)))
    parts = [pickle.loads(pickle.dumps(reader)).read() for reader in readers]
    files = [file for reader in readers for file in reader.files]
    return np.concatenate([images for images, _ in parts]), np.concatenate([labels for _, labels in parts]), files


def run(root, folder, context=None, beam=None, **changes):
    """The Examples of a folder, in a new folder."""
    folder.mkdir()
    context = context or RunContext(source=root)
    return ingest.run(ingest.Params(dataset="folder:set", **changes), context, beam or BeamOptions(), folder)


def refusal(root, tmp_path, **changes):
    with pytest.raises(InputError) as caught:
        run(root, tmp_path / f"refused {len(list(tmp_path.iterdir()))}", **changes)
    assert "\n" not in str(caught.value)
    return str(caught.value)
