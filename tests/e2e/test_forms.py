"""Every form of data gives the pixels of MNIST's own files, and a model as good as a bare fit of Keras."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from components import evaluate, ingest, train
from components.artifacts.preprocessing import Transform
from components.beam import BeamOptions
from components.run_context import RunContext
from tests.components.ingest.tables.reading import same_rows
from tests.components.whole_steps import evaluate_model
from tests.e2e.forms import FORMS, Data

TRAIN, TEST = 6_000, 5_000
RECIPE = train.Params(hidden=(64,), epochs=4, batch_size=64)

pytestmark = pytest.mark.exhaustive


def load(folder, prefix, rows):
    def content(name, offset):
        return np.frombuffer(gzip.decompress((folder / name).read_bytes())[offset:], np.uint8)

    images = content(f"{prefix}-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28)
    return images[:rows], content(f"{prefix}-labels-idx1-ubyte.gz", 8).astype(np.int64)[:rows]


@pytest.fixture(scope="module")
def data(mnist_dir):
    return Data(load(mnist_dir, "train", TRAIN), load(mnist_dir, "t10k", TEST))


@pytest.fixture(scope="module")
def bare_accuracy(data):
    """The accuracy of the recipe's network, fitted and evaluated by Keras alone."""
    import keras

    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input((28, 28)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Flatten(),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(*data.train, batch_size=64, epochs=4, verbose=0)
    return model.evaluate(*data.test, verbose=0)[1]


@pytest.mark.parametrize("name", FORMS)
def test_form_gives_the_same_pixels_and_a_model_as_good_as_keras(name, data, bare_accuracy, tmp_path):
    (tmp_path / "data").mkdir()
    form = FORMS[name](tmp_path / "data", data)
    outs = {step: tmp_path / step for step in ("ingest", "transform", "train", "evaluate")}
    for out in outs.values():
        out.mkdir()
    params = ingest.Params(dataset=f"{form.kind}:mnist", **form.options)
    examples = ingest.run(params, RunContext(source=form.path), BeamOptions(), outs["ingest"])
    for split, (images, labels) in data.splits:
        numbers = [examples.class_names.index(text) for text in texts_of(examples.class_names, labels)]
        channels = examples.image_shape[2]
        found = examples.all_images(split), examples.all_labels(split)
        assert same_rows(found, np.repeat(images[..., None], channels, axis=3), np.array(numbers))
        # WebP has no grey.
        assert channels == (3 if name == "WebP" else 1)
    prepared = Transform(
        path=outs["transform"],
        normalization="unit",
        scale=(1 / 255,) * channels,
        offset=(0.0,) * channels,
        class_names=examples.class_names,
    ).save()
    model = train.run(examples, prepared, RECIPE, outs["train"])
    evaluation = evaluate_model(model, examples, prepared, evaluate.Params(min_accuracy=0.0), outs["evaluate"])
    assert evaluation.correct / evaluation.rows == pytest.approx(bare_accuracy, abs=0.02)


def texts_of(class_names, labels):
    """The labels as the form has them: numbers, or names."""
    from tests.e2e.forms import NAMES

    return [str(label) if class_names[0].isdecimal() else NAMES[label] for label in labels]
