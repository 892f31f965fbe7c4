"""Artifacts that a test makes, of any number of classes and shape of images, and decoded pictures."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from PIL import Image

from components.analyze.counting import count
from components.artifacts.block_files import write_block
from components.artifacts.duplicates import NO_DUPLICATES
from components.artifacts.evaluation import Evaluation, probabilities_sha256
from components.artifacts.examples import SPLITS, Examples
from components.artifacts.model import Model
from components.artifacts.statistics import Statistics
from components.confusion import class_figures, confusion_matrix
from components.evaluate.calibration import calibration_bins, calibration_error
from components.gate import gate_rules
from pipeline.engine.outcome import Outcome
from pipeline.engine.store import Store
from pipeline.records.run_artifacts import RunArtifacts
from pipeline.records.run_history import Record, RunHistory
from pipeline.report.figures.style import drawing
from pipeline.settings.options import parse_run
from serving.wilson import wilson_interval

# Tests do not check durations.
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
    """The record of a run with these outcomes, and the default configuration."""
    request = parse_run(["--runs", str(root), "--models", str(root.parent / "models")])
    config = {**request.config.record(), **changed}
    return Record(run, "2026-01-02T03:04:05+00:00", verdict, 12.5, (), config, tuple(made.values()), {"python": "3.11"})


def artifacts_of(made, store, run="0001"):
    """The artifacts of a run with these outcomes."""
    return RunArtifacts(record_of(run, made, store.root), store)


@dataclass(frozen=True)
class MadeArtifacts:
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
                write_block(examples.path, split, 0, [(images[:cut], labels[:cut])]),
                write_block(examples.path, split, 1, [(images[cut:], labels[cut:])]),
            )
        return MadeArtifacts(
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
        splits = {split: counts.statistics for split, counts in counted.items()}
        statistics = Statistics(
            path=self._new("statistics"), class_names=tuple(names), splits=splits, duplicates=NO_DUPLICATES
        )
        for split, counts in counted.items():
            statistics.write_class_sums(split, counts.class_sums)
        return statistics.save()

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
                rules=gate_rules(figures, 0.5, None),
            )
            .write_probabilities(probabilities)
            .save()
        )


@pytest.fixture
def by_hand(tmp_path):
    return Maker(tmp_path)


class Runs:
    """A store with the artifacts of a pipeline that `Maker` made."""

    def __init__(self, folder, by_hand):
        self.store, self.by_hand = Store(folder / "runs"), by_hand
        self.store.root.mkdir()

    def made(self, steps=tuple(MADE), **how):
        """The outcomes of a run that made the artifacts of these steps; the other steps were refused."""
        artifacts = self.by_hand(**how)
        outcomes = {step: self._commit(step, getattr(artifacts, MADE[step]).path) for step in MADE if step in steps}
        missing = {step: Outcome(step, "refused", reasons=("refused by a gate",)) for step in MADE}
        return {**missing, "promote": Outcome("promote", "cached", passed=True), **outcomes}

    def commit(self, step, artifact, **outcome):
        """The outcome of a step that made one more artifact."""
        return replace(self._commit(step, artifact.path), **outcome)

    def _commit(self, step, folder):
        key = f"{len(list(self.store.root.rglob('*'))):064d}"[::-1]
        with self.store.staging(step, key) as out:
            shutil.copytree(folder, out, dirs_exist_ok=True)
            stored = self.store.commit(step, key, {})
        return Outcome(step, "executed", artifact=stored.name, sha256=stored.sha256, passed=True)

    def forget(self, *steps):
        """Deletes artifacts, so that drawing from them fails."""
        for step in steps:
            for folder in (self.store.root / "artifacts").glob(f"{step}-*"):
                shutil.rmtree(folder)


@pytest.fixture
def runs(tmp_path_factory, by_hand):
    return Runs(tmp_path_factory.mktemp("runs"), by_hand)


@pytest.fixture
def history(tmp_path):
    """The history of an empty folder of runs."""
    folder = tmp_path / "runs"
    (folder / "history").mkdir(parents=True)
    (folder / "reports").mkdir()
    return RunHistory(folder)


@pytest.fixture
def _drawing():
    """Runs the test inside `drawing()`."""
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
    """All texts of a figure or of axes."""
    from matplotlib.text import Text

    return [text.get_text() for text in parent.findobj(Text) if text.get_text()]


@pytest.fixture(scope="session")
def texts():
    return _texts


def name_files(examples, split="test"):
    """Gives each row of a split a file name, as ingest writes them."""
    first, names = 0, []
    for block in examples.blocks[split]:
        here = [f"{split}/{row}.png" for row in range(first, first + block.rows)]
        (examples.path / block.names_file).write_text(json.dumps(here), encoding="utf-8")
        names += here
        first += block.rows
    return names
