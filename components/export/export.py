"""Model + Transform + Statistics + Examples + Evaluation -> Bundle: SavedModel and ONNX, preprocessing inside."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from components.artifacts.bundle import Bundle
from components.artifacts.evaluation import Evaluation
from components.artifacts.examples import CALIBRATION_ROWS, Examples
from components.artifacts.model import Model
from components.artifacts.npy_writer import write_array
from components.artifacts.preprocessing import Transform
from components.artifacts.schema import SCHEMA, Schema
from components.artifacts.statistics import Statistics
from components.export.baseline import write_baseline
from components.export.int8_gate import Classes, count_correct, judge_int8
from components.export.onnx_graph import convert
from components.export.quantization import quantize
from components.export.saved_model import serving_module, write_saved_model
from components.gate import judge_predictions
from components.rounding.layers import layers_of
from components.rounding.scatter import measure_rounding
from serving.batch.decoding.background import METHOD
from serving.blocks import Images
from serving.bundle.bundle import ONNX, SAMPLE_ALLOWED, SAMPLE_IMAGES, SAMPLE_PROBABILITIES
from serving.bundle.manifest import BACKGROUND, RESIZE, Manifest
from serving.errors import BeamlineError
from serving.files import write_json
from serving.scoring.network import Network

if TYPE_CHECKING:
    import onnx

# The libraries that this step imports. Their versions are in its key, so a bundle names those that made it.
LIBRARIES = ("keras", "numpy", "onnx", "onnxruntime", "tensorflow", "tf2onnx")
# Test images in the bundle's sample: enough for a smoke test, and small even if images are large.
SAMPLE_ROWS = 16


@dataclass(frozen=True)
class Params:
    """The bundle's name.

    Attributes:
        model: the name to promote it under.
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
    """Writes all formats and the manifest; the bundle does not depend on run, time, host or path."""
    module = serving_module(model, transform, examples.image_shape)
    write_saved_model(module, out)
    labels = json.dumps(examples.class_names, ensure_ascii=False)
    converted = convert(module, {"model": params.model, "labels": labels})
    precisions = _write_precisions(converted, examples, evaluation, out)
    _write_sample(model, transform, examples, out)
    write_baseline(Network((out / ONNX).read_bytes()), examples, out)
    # The next run's data are compared with this schema.
    write_json(out / SCHEMA, Schema.of(examples, statistics.splits["train"]).to_json())
    return Bundle.seal(
        out,
        Manifest(
            model=params.model,
            image_shape=examples.image_shape,
            labels=examples.class_names,
            preprocessing={**transform.described(), RESIZE: _resize(examples), BACKGROUND: _background(examples)},
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


def _resize(examples: Examples) -> dict[str, Any] | None:
    """How the training images were resized, for images of other sizes; None if they were not."""
    height, width, _ = examples.image_shape
    return None if examples.resize is None else {"method": examples.resize, "height": height, "width": width}


def _background(examples: Examples) -> dict[str, Any] | None:
    """How transparent training pictures were laid on a colour; None if they were not."""
    return None if examples.background is None else {"method": METHOD, "colour": examples.background}


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


def _write_sample(model: Model, transform: Transform, examples: Examples, out: Path) -> None:
    """Writes the first test images, their exact probabilities and what rounding allows: a smoke test for servers."""
    images = np.array(examples.images(examples.blocks["test"][0])[:SAMPLE_ROWS])
    rounding = measure_rounding(layers_of(model), transform, images)
    (out / SAMPLE_IMAGES).parent.mkdir()
    write_array(out / SAMPLE_IMAGES, images[rounding.rows])
    write_array(out / SAMPLE_PROBABILITIES, rounding.exact.astype(np.float32))
    write_array(out / SAMPLE_ALLOWED, rounding.coarse().allowed.astype(np.float32))


def _write_precisions(model: onnx.ModelProto, examples: Examples, evaluation: Evaluation, out: Path) -> dict[str, Any]:
    """Writes the float32 model, and the int8 one if it passes. Returns: the manifest's `precisions`."""
    images = examples.all_images("test")
    labels = examples.all_labels("test")
    float32_content = model.SerializeToString(deterministic=True)
    (out / ONNX).write_bytes(float32_content)
    float32 = _classes(float32_content, images)
    precisions: dict[str, Any] = {"float32": {"file": ONNX, **count_correct(float32, labels)}}
    try:
        calibration = np.concatenate([*examples.sampled_images("train", CALIBRATION_ROWS)])
        int8_content = quantize(model, calibration).SerializeToString(deterministic=True)
    except BeamlineError as error:
        return precisions | {"int8": {"left_out": str(error)}}
    classes = _classes(int8_content, images)
    gate = judge_predictions(classes, examples, evaluation)
    int8 = judge_int8(classes, float32, labels, examples.class_names, gate)
    if "file" in int8:
        (out / int8["file"]).write_bytes(int8_content)
    return precisions | {"int8": int8}


def _classes(content: bytes, images: Images) -> Classes:
    """int64 (n,): the predicted class of each image."""
    classes: Classes = Network(content).probabilities(images).argmax(axis=1)
    return classes
