"""artifact: a saved artifact is loaded as it was."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace

import numpy as np
import pytest

from components.artifacts.anomalies import Anomalies, Anomaly
from components.artifacts.artifact import RuleResult
from components.artifacts.evaluation import Bin, ClassFigures, Evaluation
from components.artifacts.model import Model
from components.artifacts.preprocessing import Augmentation, Transform
from components.artifacts.promotion import DiscordantImage, Promotion
from components.artifacts.verification import Verification
from serving.codec import FormatError
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
        "rules": (RuleResult("accuracy", True, "0.7 ≥ 0.6"), RuleResult("recall", False, "“1” < 2")),
        **REFUSAL,
    },
    Verification: {
        "bundle_sha256": "0" * 64,
        "rows": 10,
        "correct": 7,
        "disagreements": ("test image 3: …",),
        "max_difference": 1.7881393432617188e-07,
        "rules": (RuleResult("classes", False, "…"), RuleResult("probabilities", True, "at most 0.6")),
        **REFUSAL,
    },
    Promotion: {
        "model": "m",
        "version": None,
        "bundle_sha256": "0" * 64,
        "champion": 3,
        "gained": 1,
        "lost": 22,
        "p": 1e-5,
        "discordant": (DiscordantImage(5, 0, 1, 0),),
        "rules": (RuleResult("champion", False, "…"),),
        **REFUSAL,
    },
}


def equal(one, other):
    """Whether two values are equal, with the arrays in them."""
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
def test_a_saved_artifact_is_loaded_as_it_was(kind, tmp_path):
    artifact = kind(path=tmp_path, **VALUES[kind])
    assert artifact.save() is artifact
    assert equal(kind.load(tmp_path), artifact)
    assert artifact.summary()


@pytest.mark.parametrize("name", ["examples", "statistics", "anomalies", "transform", "model", "evaluation", "bundle"])
def test_an_artifact_of_a_component_is_loaded_as_it_was(made, name):
    artifact = getattr(made, name)
    assert equal(type(artifact).load(artifact.path), artifact)
    assert "\n" not in artifact.summary()


def test_statistics_are_loaded_from_another_folder(made, tmp_path):
    moved = replace(made.statistics, path=tmp_path).save()
    assert equal(type(moved).load(tmp_path), moved)


def test_saving_again_writes_the_same_bytes(tmp_path, contents):
    for kind, values in VALUES.items():
        kind(path=tmp_path, **values).save()
        first = contents(tmp_path)
        kind(path=tmp_path, **values).save()
        assert contents(tmp_path) == first


@pytest.mark.parametrize("kind", VALUES)
def test_a_damaged_file_is_named_with_its_field(kind, tmp_path):
    kind(path=tmp_path, **VALUES[kind]).save()
    (file,) = tmp_path.iterdir()
    content = file.read_text()
    file.write_text(content.replace("{", '{"unknown": 1, ', 1))
    with pytest.raises(FormatError, match=f"^{file}: the value has the unknown field unknown"):
        kind.load(tmp_path)
    file.write_text(content[:-3])
    with pytest.raises(FormatError, match=f"^{file} is not valid JSON"):
        kind.load(tmp_path)
