"""Model + Transform + Examples + Evaluation -> Bundle: SavedModel and ONNX with the preprocessing inside."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

import serving.bundle
from components.artifacts.bundle import Bundle
from components.artifacts.evaluation import Evaluation
from components.artifacts.examples import Examples
from components.artifacts.model import Model
from components.artifacts.transform import Transform
from components.onnx_graph import convert
from components.saved_model import serving_module, write_saved_model
from serving.bundle import Manifest

# What this step imports, and so what its key holds: a bundle never names versions that it was not made with.
LIBRARIES = ("keras", "numpy", "onnx", "tensorflow", "tf2onnx")

SAMPLE_ROWS = 16


@dataclass(frozen=True)
class Params:
    """What the bundle is called.

    Attributes:
        model: the name under which it will be promoted.
    """

    model: str


def run(
    model: Model, transform: Transform, examples: Examples, evaluation: Evaluation, params: Params, out: Path
) -> Bundle:
    """Writes both formats and seals them; nothing in the bundle depends on run, time, host or path."""
    module = serving_module(model, transform, examples.image_shape)
    write_saved_model(module, out)
    labels = json.dumps(examples.class_names, ensure_ascii=False)
    converted = convert(module, {"model": params.model, "labels": labels})
    (out / serving.bundle.ONNX).write_bytes(converted.SerializeToString(deterministic=True))
    _write_sample(examples, evaluation, out)
    return Bundle.seal(
        out,
        Manifest(
            model=params.model,
            image_shape=examples.image_shape,
            labels=examples.class_names,
            preprocessing=transform.described(),
            dataset={
                "name": examples.dataset,
                "version": examples.version,
                "splits": {
                    split: {"rows": examples.rows(split), "sha256": examples.sha256(split)} for split in examples.blocks
                },
            },
            training=model.recipe,
            gate={
                "accuracy": evaluation.accuracy,
                "interval": evaluation.interval,
                "min_accuracy": evaluation.min_accuracy,
                "rows": evaluation.rows,
                "min_recall": evaluation.min_recall,
                "calibration_error": evaluation.calibration_error,
                "evaluation_sha256": evaluation.digest(),
                "weights_sha256": model.weights_sha256(),
            },
            versions={library: version(library) for library in LIBRARIES},
        ),
    )


def _write_sample(examples: Examples, evaluation: Evaluation, out: Path) -> None:
    """The first test images, and what the trained model says of them: so a bundle can be tried wherever it serves."""
    images = examples.images(examples.blocks["test"][0])[:SAMPLE_ROWS]
    (out / serving.bundle.SAMPLE_IMAGES).parent.mkdir()
    np.save(out / serving.bundle.SAMPLE_IMAGES, np.array(images))
    np.save(out / serving.bundle.SAMPLE_PROBABILITIES, evaluation.probabilities()[: len(images)])
