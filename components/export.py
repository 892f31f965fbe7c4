"""Model + Transform + Statistics + Examples + Evaluation -> Bundle: SavedModel and ONNX, preprocessing inside."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import serving.bundle
from components.artifacts.bundle import Bundle
from components.artifacts.evaluation import Evaluation
from components.artifacts.examples import Examples
from components.artifacts.model import Model
from components.artifacts.reference import SCHEMA, Reference
from components.artifacts.statistics import Statistics
from components.artifacts.transform import Transform
from components.baseline import write_baseline
from components.evaluate import judge_again
from components.onnx_graph import convert
from components.precisions import Classes, judge_int8, score
from components.quantization import quantize
from components.saved_model import serving_module, write_saved_model
from serving.bundle import Manifest
from serving.errors import BeamlineError
from serving.files import write_json
from serving.inputs.blocks import Images
from serving.network import Network

if TYPE_CHECKING:
    import onnx

# What this step imports, and so what its key holds: a bundle never names versions that it was not made with.
LIBRARIES = ("keras", "numpy", "onnx", "onnxruntime", "tensorflow", "tf2onnx")
# Of the training split, at most: what the ranges of the int8 model's activations are taken from.
CALIBRATION_ROWS = 1000
# Of the test split: enough to see that a bundle answers, and little to carry where images are large.
SAMPLE_ROWS = 16


@dataclass(frozen=True)
class Params:
    """What the bundle is called.

    Attributes:
        model: the name under which it will be promoted.
    """

    model: str


def run(
    model: Model,
    transform: Transform,
    statistics: Statistics,
    examples: Examples,
    evaluation: Evaluation,
    params: Params,
    out: Path,
) -> Bundle:
    """Writes all formats and seals them; nothing in the bundle depends on run, time, host or path."""
    module = serving_module(model, transform, examples.image_shape)
    write_saved_model(module, out)
    labels = json.dumps(examples.class_names, ensure_ascii=False)
    converted = convert(module, {"model": params.model, "labels": labels})
    precisions = _write_precisions(converted, examples, evaluation, out)
    _write_sample(examples, evaluation, out)
    write_baseline(Network((out / serving.bundle.ONNX).read_bytes()), examples, out)
    # What it learned from: the next run's data are held against it.
    write_json(out / SCHEMA, Reference.of(examples, statistics.splits["train"]).to_json())
    return Bundle.seal(
        out,
        Manifest(
            model=params.model,
            image_shape=examples.image_shape,
            labels=examples.class_names,
            preprocessing=transform.described(),
            dataset=_dataset(examples),
            training=model.recipe,
            gate=_gate(model, evaluation),
            precisions=precisions,
            versions={library: version(library) for library in LIBRARIES},
        ),
    )


def _dataset(examples: Examples) -> dict[str, Any]:
    splits = {split: {"rows": examples.rows(split), "sha256": examples.sha256(split)} for split in examples.blocks}
    return {"name": examples.dataset, "version": examples.version, "splits": splits}


def _gate(model: Model, evaluation: Evaluation) -> dict[str, Any]:
    return {
        "accuracy": evaluation.accuracy,
        "interval": evaluation.interval,
        "min_accuracy": evaluation.min_accuracy,
        "rows": evaluation.rows,
        "min_recall": evaluation.min_recall,
        "calibration_error": evaluation.calibration_error,
        "evaluation_sha256": evaluation.digest(),
        "weights_sha256": model.weights_sha256(),
    }


def _write_sample(examples: Examples, evaluation: Evaluation, out: Path) -> None:
    """The first test images, and what the trained model says of them: so a bundle can be tried wherever it serves."""
    images = examples.images(examples.blocks["test"][0])[:SAMPLE_ROWS]
    (out / serving.bundle.SAMPLE_IMAGES).parent.mkdir()
    np.save(out / serving.bundle.SAMPLE_IMAGES, np.array(images))
    np.save(out / serving.bundle.SAMPLE_PROBABILITIES, evaluation.probabilities()[: len(images)])


def _write_precisions(model: onnx.ModelProto, examples: Examples, evaluation: Evaluation, out: Path) -> dict[str, Any]:
    """Writes the model, and its int8 one where that may serve. Returns: the manifest's `precisions`."""
    images = examples.all_images("test")
    labels = examples.all_labels("test")
    content = model.SerializeToString(deterministic=True)
    (out / serving.bundle.ONNX).write_bytes(content)
    float32 = _classes(content, images)
    said = {"float32": {"file": serving.bundle.ONNX, **score(float32, labels)}}
    try:
        calibration = np.concatenate([*examples.sampled_images("train", CALIBRATION_ROWS)])
        content = quantize(model, calibration).SerializeToString(deterministic=True)
    except BeamlineError as error:
        return said | {"int8": {"left_out": str(error)}}
    found = _classes(content, images)
    int8 = judge_int8(found, float32, labels, judge_again(found, examples, evaluation))
    if "file" in int8:
        (out / int8["file"]).write_bytes(content)
    return said | {"int8": int8}


def _classes(content: bytes, images: Images) -> Classes:
    """int64 (n,): the most probable class of each image."""
    classes: Classes = Network(content).probabilities(images).argmax(axis=1)
    return classes
