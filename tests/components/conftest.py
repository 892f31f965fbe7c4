"""What the components' tests share: data sets and networks written in the tests, and the contents of folders."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from hypothesis import settings

from components.artifacts.model import Model
from components.artifacts.preprocessing import Transform
from components.verify import verify
from tests.components.examples_by_hand import write_examples as write_examples_by_hand
from tests.components.whole_steps import verify_bundle

# The duration of an example is not a result.
settings.register_profile("components", deadline=None)
settings.load_profile("components")


def _contents(folder):
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def _rows_of(examples, split):
    images = np.concatenate([examples.images(block) for block in examples.blocks[split]])
    return images, examples.all_labels(split)


def _write_untrained(folder, image_shape, classes, *, seed=1, **layers):
    import keras

    from components.train.network import build_model
    from components.train.recipe import Recipe

    keras.utils.set_random_seed(seed)
    network = build_model(image_shape, classes, Recipe(**{"hidden": (), **layers}))
    model = Model(path=folder, recipe={"preset": "by-hand"}, history=(), parameters=network.count_params())
    return model.write_keras_model(network, "").save()


@pytest.fixture(scope="session")
def contents():
    """Folder -> the bytes of all files below it, by path."""
    return _contents


@pytest.fixture(scope="session")
def rows_of():
    """Examples, split -> all images and labels, in order."""
    return _rows_of


@pytest.fixture(scope="session")
def write_examples():
    """Folder, {split: (images, labels)}, class names -> Examples."""
    return write_examples_by_hand


@pytest.fixture(scope="session")
def write_untrained():
    """Folder, image shape, classes, layers -> Model with fresh weights."""
    return _write_untrained


@pytest.fixture(scope="session")
def unit_transform(tmp_path_factory):
    """Channels, classes -> Transform that divides by 255."""

    def build(channels, classes):
        names = tuple(f"class {label}" for label in range(classes))
        return Transform(
            path=tmp_path_factory.mktemp("transform"),
            normalization="unit",
            scale=(1 / 255,) * channels,
            offset=(0.0,) * channels,
            class_names=names,
        ).save()

    return build


@pytest.fixture(scope="session")
def verification(made, tmp_path_factory):
    """The Verification of the small data set's bundle."""
    out = tmp_path_factory.mktemp("verification")
    return verify_bundle(made.model, made.transform, made.bundle, made.examples, made.evaluation, verify.Params(), out)


@pytest.fixture
def bundle_copy(made, tmp_path):
    """A copy of the exported bundle's folder."""
    shutil.copytree(made.bundle.path, tmp_path / "bundle")
    return tmp_path / "bundle"
