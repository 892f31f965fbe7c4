"""What the components' tests share: data sets and networks that are made by hand, and the contents of folders."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import settings

from components import verify
from components.artifacts.examples import Examples, write_block
from components.artifacts.model import Model
from components.artifacts.transform import Transform

# How long an example takes is no matter of a test.
settings.register_profile("components", deadline=None)
settings.load_profile("components")


def _contents(folder):
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def _rows_of(examples, split):
    images = np.concatenate([examples.images(block) for block in examples.blocks[split]])
    return images, examples.all_labels(split)


def _write_examples(folder, splits, class_names, block_rows=1000):
    blocks = {}
    for split, (images, labels) in splits.items():
        starts = range(0, len(images), block_rows)
        blocks[split] = tuple(
            write_block(folder, split, index, images[start : start + block_rows], labels[start : start + block_rows])
            for index, start in enumerate(starts)
        )
    shape = splits["train"][0].shape[1:]
    return Examples(
        path=folder, dataset="by-hand", version="1.0.0", class_names=class_names, image_shape=shape, blocks=blocks
    ).save()


def _write_untrained(folder, image_shape, classes, *, seed=1, **layers):
    import keras

    from components.model import build_model

    keras.utils.set_random_seed(seed)
    recipe = {"convolutions": (), "hidden": (), "hidden_activation": "relu", "dropout": 0.0}
    network = build_model(image_shape, classes, **{**recipe, "output_activation": "softmax", **layers})
    model = Model(path=folder, recipe={"preset": "by-hand"}, history=(), parameters=network.count_params())
    return model.write_keras_model(network).save()


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
    return _write_examples


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
    """What verify says of the bundle of the small data set."""
    out = tmp_path_factory.mktemp("verification")
    return verify.run(made.model, made.transform, made.bundle, made.examples, made.evaluation, verify.Params(), out)
