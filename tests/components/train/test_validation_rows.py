"""train: validation rows are of every class, are not augmented, are scored, and are not trained on."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import pytest

from components.artifacts.preprocessing import Augmentation
from components.train import train
from components.train.hold_out import hold_out
from tests.components.train.models import RECIPE, assert_same_weights

LIMITS = Augmentation(shift=0.2, rotation=30.0, zoom=0.25)


def test_validation_rows_are_not_augmented(made, rows_of, tmp_path):
    images, labels = rows_of(made.examples, "train")
    moving = replace(made.transform, augmentation=LIMITS)
    model = train.run(made.examples, moving, replace(RECIPE, epochs=2, validation_fraction=0.2), tmp_path)
    chosen = hold_out(labels, 0.2, RECIPE.seed).validation
    assert_validated_on(model, images[chosen], labels[chosen])


def test_rows_sorted_by_class_are_validated_with_every_class(made, rows_of, write_examples, tmp_path, caplog):
    images, labels = rows_of(made.examples, "train")
    # All of the classes 0 to 2, and one image of class 3.
    rows = np.argsort(labels, kind="stable")[: (labels < 3).sum() + 1]
    (tmp_path / "sorted").mkdir()
    splits = {"train": (images[rows], labels[rows]), "test": rows_of(made.examples, "test")}
    by_class = write_examples(tmp_path / "sorted", splits, made.examples.class_names, block_rows=250)
    (tmp_path / "model").mkdir()
    with caplog.at_level(logging.WARNING, "beamline.train"):
        model = train.run(
            by_class, made.transform, replace(RECIPE, epochs=2, validation_fraction=0.2), tmp_path / "model"
        )
    assert model.history[-1]["val_accuracy"] > 0.9
    (message,) = (record.getMessage() for record in caplog.records if record.name == "beamline.train")
    assert message == (
        "classes with too few training images to have a validation image (1 in all): "
        f"{made.examples.class_names[3]}; the validation accuracy does not depend on them"
    )


def test_validation_rows_are_scored_and_not_trained_on(made, rows_of, write_examples, tmp_path):
    images, labels = rows_of(made.examples, "train")
    kept = hold_out(labels, 0.2, RECIPE.seed).training
    written = []
    for name, rows in (("all", np.arange(600)), ("rest", kept)):
        (tmp_path / name).mkdir()
        splits = {"train": (images[rows], labels[rows]), "test": rows_of(made.examples, "test")}
        # In one block, because the order of the rows depends on the blocks.
        written.append(write_examples(tmp_path / name, splits, made.examples.class_names, block_rows=600))
    models = []
    for examples, fraction in zip(written, (0.2, 0.0), strict=True):
        out = tmp_path / f"fraction {fraction}"
        out.mkdir()
        recipe = replace(RECIPE, epochs=2, validation_fraction=fraction)
        models.append(train.run(examples, made.transform, recipe, out))
    validated, plain = models
    assert_same_weights(validated, plain)
    assert [epoch["loss"] for epoch in validated.history] == [epoch["loss"] for epoch in plain.history]
    assert [sorted(epoch) for epoch in plain.history] == [["accuracy", "loss"]] * 2
    chosen = np.setdiff1d(np.arange(600), kept)
    assert_validated_on(validated, images[chosen], labels[chosen])


def test_own_validation_rows_are_scored_and_not_trained_on(made, rows_of, write_examples, tmp_path):
    images, labels = rows_of(made.examples, "train")
    models = []
    for name, rows, own in (("own", 600, 120), ("rest", 480, 0)):
        (tmp_path / name / "model").mkdir(parents=True)
        splits = {"train": (images[:rows], labels[:rows]), "test": rows_of(made.examples, "test")}
        # In one block, because the order of the rows depends on the blocks.
        examples = write_examples(tmp_path / name, splits, made.examples.class_names, block_rows=600)
        # The fraction gives way to the set's own rows.
        recipe = replace(RECIPE, epochs=2, validation_fraction=0.5 if own else 0.0)
        models.append(
            train.run(replace(examples, validation_rows=own), made.transform, recipe, tmp_path / name / "model")
        )
    assert_same_weights(*models)
    assert_validated_on(models[0], images[480:], labels[480:])


def assert_validated_on(model, images, labels):
    network = model.keras_model()
    network.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    loss, accuracy = network.evaluate(images / np.float32(255), labels, verbose=0)
    assert model.history[-1]["val_loss"] == pytest.approx(loss, rel=1e-4)
    assert model.history[-1]["val_accuracy"] == pytest.approx(accuracy, abs=1e-6)
