"""Artifacts made by hand, of any number of classes and shape of images, and pictures decoded."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from PIL import Image

from components.analyze import count
from components.artifacts.duplicates import NO_DUPLICATES
from components.artifacts.evaluation import Evaluation, probabilities_sha256
from components.artifacts.examples import SPLITS, Examples, write_block
from components.artifacts.model import Model
from components.artifacts.statistics import Statistics
from components.calibration import calibration_bins, calibration_error
from components.confusion import class_figures, confusion_matrix
from components.evaluate import Params, find_rules
from pipeline.history import Record, plain
from pipeline.options import parse_run
from pipeline.outcome import Outcome
from pipeline.report.style import drawing
from pipeline.store import Store
from serving.wilson import wilson_interval

# How long an example takes is no matter of a test.
settings.register_profile("report", deadline=None)
settings.load_profile("report")

MADE = {"ingest": "examples", "analyze": "statistics", "train": "model", "evaluate": "evaluation"}
HOSTILE = (
    "$x^2",
    "$\\frac{a$",
    "a_very_long_name_without_a_blank_that_ends_in_0",
    "a_very_long_name_without_a_blank_that_ends_in_1",
    "猫とねずみ",
    "W" * 40,
    "line\nbreak\ttab\x00",
    "",
    "😀🦔",
    "العربية",
)


def record_of(run, made, root, verdict="promoted", **changed):
    """The record of a run that came to these outcomes, told what a run is told where nothing is said."""
    request = parse_run(["--runs", str(root), "--models", str(root.parent / "models")])
    told = {**plain(request.config), **changed}
    return Record(run, "2026-01-02T03:04:05+00:00", verdict, 12.5, (), told, tuple(made.values()), {"python": "3.11"})


@dataclass(frozen=True)
class ByHand:
    examples: Examples
    statistics: Statistics
    model: Model
    evaluation: Evaluation


@dataclass(frozen=True)
class Maker:
    folder: Path

    def __call__(self, names=("one", "two", "three"), shape=(6, 5, 1), rows=90, skill=2.0, epochs=3, without=None):
        """Random images and probabilities; `skill` is how much the true class is preferred, `without` a label."""
        random = np.random.default_rng(len(names))
        parts = [self._rows(random, rows, len(names), shape, without) for _ in SPLITS]
        examples = Examples(
            path=self._new("examples"),
            dataset="by-hand",
            version="1.0.0",
            class_names=tuple(names),
            image_shape=shape,
            blocks={},
        )
        for split, (images, labels) in zip(SPLITS, parts, strict=True):
            cut = rows // 3
            examples.blocks[split] = (
                write_block(examples.path, split, 0, images[:cut], labels[:cut]),
                write_block(examples.path, split, 1, images[cut:], labels[cut:]),
            )
        return ByHand(
            examples.save(),
            self._statistics(parts, names),
            self._model(epochs),
            self._evaluation(random, parts[1][1], names, skill),
        )

    def _rows(self, random, rows, classes, shape, without):
        labels = random.integers(0, classes, rows)
        labels[labels == without] = 0
        return random.integers(0, 256, (rows, *shape)).astype(np.uint8), labels

    def _new(self, name):
        number = len(list(self.folder.iterdir()))
        path = self.folder / f"{name}-{number}"
        path.mkdir()
        return path

    def _statistics(self, parts, names):
        counted = {split: count(*part, len(names)) for split, part in zip(SPLITS, parts, strict=True)}
        return Statistics(
            path=self._new("statistics"), class_names=tuple(names), splits=counted, duplicates=NO_DUPLICATES
        ).save()

    def _model(self, epochs):
        history = tuple({"accuracy": 1 - 0.5**epoch, "loss": 0.5**epoch} for epoch in range(1, epochs + 1))
        return Model(path=self._new("model"), recipe={"preset": "by-hand"}, history=history, parameters=1234).save()

    def _evaluation(self, random, labels, names, skill):
        classes = len(names)
        scores = random.normal(size=(len(labels), classes)) + skill * (labels[:, None] == np.arange(classes))
        probabilities = (np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)).astype(np.float32)
        predicted = probabilities.argmax(axis=1)
        correct = int((predicted == labels).sum())
        confusion = confusion_matrix(labels, predicted, classes)
        figures = class_figures(confusion, names)
        bins = calibration_bins(probabilities, labels)
        return (
            Evaluation(
                path=self._new("evaluation"),
                weights_sha256="",
                test_sha256="",
                probabilities_sha256=probabilities_sha256(probabilities),
                rows=len(labels),
                correct=correct,
                interval=wilson_interval(correct, len(labels)),
                loss=1.0,
                min_accuracy=0.5,
                min_recall=None,
                confusion=confusion,
                classes=figures,
                calibration_error=calibration_error(bins),
                calibration=bins,
                rules=find_rules(figures, Params(0.5)),
            )
            .write_probabilities(probabilities)
            .save()
        )


@pytest.fixture
def by_hand(tmp_path):
    return Maker(tmp_path)


class Runs:
    """A store with the artifacts of a pipeline that were made by hand."""

    def __init__(self, folder, by_hand):
        self.store, self.by_hand = Store(folder / "runs"), by_hand
        self.store.root.mkdir()

    def made(self, steps=tuple(MADE), **how):
        """What a run that made these steps' artifacts has for outcomes; the steps after them were refused."""
        artifacts = self.by_hand(**how)
        outcomes = {step: self._commit(step, getattr(artifacts, MADE[step]).path) for step in MADE if step in steps}
        missing = {step: Outcome(step, "refused", reasons=("refused by somebody",)) for step in MADE}
        return {**missing, "promote": Outcome("promote", "cached", passed=True), **outcomes}

    def commit(self, step, artifact, **outcome):
        """What a run has for outcome that made one more artifact."""
        return replace(self._commit(step, artifact.path), **outcome)

    def _commit(self, step, folder):
        key = f"{len(list(self.store.root.rglob('*'))):064d}"[::-1]
        with self.store.staging(step, key) as out:
            shutil.copytree(folder, out, dirs_exist_ok=True)
            stored = self.store.commit(step, key, {})
        return Outcome(step, "executed", artifact=stored.folder, sha256=stored.sha256, passed=True)

    def forget(self, *steps):
        """Takes artifacts away, so that nothing can be drawn from them."""
        for step in steps:
            for folder in (self.store.root / "artifacts").glob(f"{step}-*"):
                shutil.rmtree(folder)


@pytest.fixture
def runs(tmp_path_factory, by_hand):
    return Runs(tmp_path_factory.mktemp("runs"), by_hand)


@pytest.fixture
def _drawing():
    """Inside of `drawing()`, as the pictures are drawn."""
    with drawing():
        yield


def _decoded(file):
    with Image.open(file) as image:
        return np.asarray(image.convert("RGB")).astype(int)


@pytest.fixture(scope="session")
def decoded():
    """PNG file -> int (h, w, 3)."""
    return _decoded


def _texts(parent):
    """What is written anywhere in a figure or in axes."""
    from matplotlib.text import Text

    return [text.get_text() for text in parent.findobj(Text) if text.get_text()]


@pytest.fixture(scope="session")
def texts():
    return _texts
