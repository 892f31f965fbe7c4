"""artifacts: what was saved is what is loaded, and components write where they may and nowhere else."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import fields, is_dataclass, replace

import numpy as np
import pytest

from components import analyze, evaluate, export, ingest, promote, train, transform, validate, verify
from components.artifacts.anomalies import Anomalies, Anomaly
from components.artifacts.bundle import Bundle
from components.artifacts.evaluation import Evaluation, probabilities_sha256
from components.artifacts.examples import Examples, write_block
from components.artifacts.model import Model
from components.artifacts.promotion import Promotion
from components.artifacts.rule import Rule
from components.artifacts.transform import Transform
from components.artifacts.verification import Verification
from components.augmentation import Augmentation
from components.beam import BeamOptions
from components.calibration import Bin
from components.confusion import ClassFigures
from serving.wilson import Estimate

REFUSAL = {"passed": False, "reasons": ("one, with “quotes” and ü", "two")}
VALUES = {
    Anomalies: {
        "found": (Anomaly("shape", "test", "odd"), Anomaly("type", "train", "odder")),
        "checked": ("shape", "type"),
        "passed": False,
        "reasons": ("test: odd (shape)", "train: odder (type)"),
    },
    Transform: {
        "normalization": "unit",
        "scale": (0.1, 1 / 3),
        "offset": (0.0, -1e-300),
        "class_names": ("ä", "b,c"),
        "augmentation": Augmentation(0.1, 1 / 3, 1e-17),
    },
    Model: {
        "recipe": {"preset": "p", "hidden": (3, 4), "shape": (8, 8, 1), "none": (), "rate": 0.1},
        "history": ({"loss": 0.1}, {"loss": 1e-17}),
        "parameters": 3,
    },
    Evaluation: {
        "weights_sha256": "1" * 64,
        "test_sha256": "0" * 64,
        "probabilities_sha256": "2" * 64,
        "rows": 10,
        "correct": 7,
        "interval": (0.1, 1 / 3),
        "loss": 0.30000000000000004,
        "min_accuracy": None,
        "min_recall": 0.1,
        "confusion": ((1, 2), (3, 4)),
        "classes": (
            ClassFigures("ä", 3, 4, 1, Estimate(1 / 4, 0.1, 0.2), Estimate(1 / 3, 0.1, 1e-17), Estimate(0.3, 0.0, 1.0)),
            ClassFigures("b,c", 0, 0, 0, None, None, None),
        ),
        "calibration_error": 1 / 3,
        "calibration": (Bin("0 to 0.5", 0, None, None), Bin("0.5 to 1", 10, 1 / 3, 0.7)),
        "rules": (Rule("accuracy", True, "0.7 ≥ 0.6"), Rule("recall", False, "“1” < 2")),
        **REFUSAL,
    },
    Verification: {
        "bundle_sha256": "0" * 64,
        "rows": 10,
        "correct": 7,
        "disagreements": ("test image 3: …",),
        "max_difference": 1.7881393432617188e-07,
        "rules": (Rule("classes", False, "…"), Rule("probabilities", True, "|Δp| ≤ 1e-5")),
        **REFUSAL,
    },
    Promotion: {
        "model": "m",
        "version": None,
        "bundle_sha256": "0" * 64,
        "champion": 3,
        "gained": 1,
        "lost": 22,
        "rules": (Rule("champion", False, "…"),),
        **REFUSAL,
    },
}


def equal(one, other):
    """Whether two values are equal, also where they hold arrays."""
    if is_dataclass(one):
        return type(one) is type(other) and all(
            equal(getattr(one, f.name), getattr(other, f.name)) for f in fields(one)
        )
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    return type(one) is type(other) and one == other


@pytest.mark.parametrize("kind", VALUES)
def test_what_was_saved_is_what_is_loaded(kind, tmp_path):
    artifact = kind(path=tmp_path, **VALUES[kind])
    assert artifact.save() is artifact
    assert equal(kind.load(tmp_path), artifact)
    assert artifact.summary()


@pytest.mark.parametrize("name", ["examples", "statistics", "anomalies", "transform", "model", "evaluation", "bundle"])
def test_what_a_component_returned_is_what_is_loaded(made, name):
    artifact = getattr(made, name)
    assert equal(type(artifact).load(artifact.path), artifact)
    assert "\n" not in artifact.summary()


def test_statistics_come_back_from_another_folder(made, tmp_path):
    moved = replace(made.statistics, path=tmp_path).save()
    assert equal(type(moved).load(tmp_path), moved)


def test_saving_twice_writes_the_same_bytes(tmp_path, contents):
    for kind, values in VALUES.items():
        kind(path=tmp_path, **values).save()
        first = contents(tmp_path)
        kind(path=tmp_path, **values).save()
        assert contents(tmp_path) == first


def test_probabilities_come_back_and_the_greatest_is_the_prediction(made, tmp_path):
    probabilities = np.array([[0.1, 0.2, 0.7], [0.25, 0.5, 0.25], [0.4, 0.4, 0.2]], np.float32)
    written = replace(made.evaluation, path=tmp_path).write_probabilities(probabilities)
    assert written.probabilities().dtype == np.float32
    assert np.array_equal(written.probabilities(), probabilities)
    assert written.predictions().tolist() == [2, 1, 0]


def test_probabilities_digest_is_of_their_rows_in_order(made):
    probabilities = np.random.default_rng(1).random((5, 3), np.float32)
    digest = hashlib.sha256(probabilities.tobytes()).hexdigest()
    assert probabilities_sha256(probabilities) == digest
    assert probabilities_sha256(np.asfortranarray(probabilities)) == digest
    assert probabilities_sha256(probabilities.astype(">f4")) == digest
    assert probabilities_sha256(probabilities[::-1]) != digest


def test_weights_digest_follows_every_file_and_nothing_else(made, tmp_path):
    shutil.copytree(made.model.path, tmp_path / "model")
    copied = replace(made.model, path=tmp_path / "model")
    digest = made.model.weights_sha256()
    (copied.path / "summary.txt").write_text("other words")
    assert copied.weights_sha256() == digest
    for file in copied.path.glob("weights-*.npy"):
        content = file.read_bytes()
        file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        assert copied.weights_sha256() != digest
        file.write_bytes(content)
    assert copied.weights_sha256() == digest


def test_block_digest_is_of_its_pixels_and_labels(tmp_path):
    images = np.arange(24, dtype=np.uint8).reshape(2, 3, 4, 1)
    labels = np.array([1, 0])
    block = write_block(tmp_path, "train", 0, images, labels)
    assert block.sha256 == hashlib.sha256(images.tobytes() + labels.astype("<i8").tobytes()).hexdigest()
    backwards = np.ascontiguousarray(images[::-1])[::-1]
    assert write_block(tmp_path, "train", 0, backwards, labels) == block
    assert write_block(tmp_path, "train", 0, images, labels[::-1]) != block


def test_split_digest_follows_content_order_and_shape(made):
    examples = made.examples
    train_blocks = examples.blocks["train"]
    digest = examples.sha256("train")
    reordered = replace(examples, blocks={**examples.blocks, "train": train_blocks[::-1]})
    assert reordered.sha256("train") != digest
    assert reordered.sha256("test") == examples.sha256("test")
    assert replace(examples, image_shape=(4, 16, 1)).sha256("train") != digest
    assert replace(examples, path=examples.path / "elsewhere").sha256("train") == digest
    assert Examples.load(examples.path).sha256("train") == digest


COMPONENTS = {
    "ingest": lambda made, out: ingest.run(
        ingest.Params(dataset="tiny", data_dir=made.data_dir, block_rows=300), BeamOptions(), out
    ),
    "analyze": lambda made, out: analyze.run(made.examples, BeamOptions(), out),
    "validate": lambda made, out: validate.run(made.examples, made.statistics, validate.Params(), out),
    "transform": lambda made, out: transform.run(made.statistics, made.anomalies, transform.Params("standardize"), out),
    "train": lambda made, out: train.run(made.examples, made.transform, train.Params(hidden=(), epochs=1), out),
    "evaluate": lambda made, out: evaluate.run(made.model, made.examples, made.transform, evaluate.Params(0.9), out),
    "export": lambda made, out: export.run(
        made.model, made.transform, made.statistics, made.examples, made.evaluation, export.Params("other"), out
    ),
    "verify": lambda made, out: verify.run(
        made.model, made.transform, made.bundle, made.examples, made.evaluation, verify.Params(), out
    ),
}


def run_watched(made, tmp_path, monkeypatch, contents, run):
    """Runs a component with everything around it watched; returns what appeared beside its `out`."""
    assert made.bundle.path.is_dir()
    before = contents(made.folder)
    for folder in ("out", "working", "temporary"):
        (tmp_path / folder).mkdir()
    monkeypatch.chdir(tmp_path / "working")
    monkeypatch.setenv("HOME", str(tmp_path / "working"))
    artifact = run(made, tmp_path / "out")
    assert artifact.path == tmp_path / "out"
    assert contents(tmp_path / "out")
    after = contents(made.folder)
    assert before.keys() == after.keys()
    assert [name for name in before if before[name] != after[name]] == []
    return sorted(name for name in contents(tmp_path) if not name.startswith("out/"))


@pytest.mark.parametrize("name", COMPONENTS)
def test_component_writes_into_its_own_folder_alone(made, tmp_path, monkeypatch, contents, name):
    assert run_watched(made, tmp_path, monkeypatch, contents, COMPONENTS[name]) == []


def test_promote_writes_into_its_own_folder_and_the_registry_alone(made, verification, tmp_path, monkeypatch, contents):
    params = promote.Params("tiny", tmp_path / "models", "run-1")
    checked = contents(verification.path)
    written = run_watched(
        made,
        tmp_path,
        monkeypatch,
        contents,
        lambda made, out: promote.run(made.bundle, made.evaluation, verification, made.examples, params, out),
    )
    assert {name.split("/")[0] for name in written} == {"models"}
    assert contents(verification.path) == checked


def test_bundle_is_identified_without_reading_its_files(made):
    assert (
        Bundle.load(made.bundle.path).sha256
        == hashlib.sha256((made.bundle.path / "manifest.json").read_bytes()).hexdigest()
    )


@pytest.mark.parametrize(
    ("rows", "block_rows", "at_most"), [(2500, 7, 1000), (2500, 2500, 1100), (999, 100, 1000), (3, 2, 3), (5, 5, 1)]
)
def test_sampled_images_are_of_all_over_the_split(write_examples, tmp_path, rows, block_rows, at_most):
    images = (np.arange(rows)[:, None, None, None] >> [0, 8]).astype(np.uint8)
    splits = {"train": (images, np.zeros(rows, np.int64)), "test": (images[:1], np.zeros(1, np.int64))}
    examples = write_examples(tmp_path, splits, ("a",), block_rows)
    pieces = list(examples.sampled_images("train", at_most))
    assert max(map(len, pieces)) <= 1024
    taken = np.concatenate(pieces).astype(int)
    assert taken.shape == (min(rows, at_most), 1, 1, 2)
    numbers = (taken[..., 0] + 256 * taken[..., 1]).ravel()
    # One of each of equal parts.
    parts = np.arange(len(numbers) + 1) * rows // len(numbers)
    assert ((parts[:-1] <= numbers) & (numbers < parts[1:])).all()
